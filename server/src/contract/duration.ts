/** A duration as it is written: one number and one unit, or `0`. */
export const DURATION_PATTERN = '^(0|[0-9]{1,6}(ms|s|m|h|d|w))$';
export const DURATION_HELP = 'a duration such as 30s, 5m, 12h, 7d, or 0';

const MILLISECONDS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** Milliseconds of `5m`, `7d`, `0`. Throws `RangeError` saying what is wrong and what is allowed. */
export function duration(text: string): number {
  if (text === '0') return 0;
  const [, amount, unit] = /^([0-9]{1,6})(ms|s|m|h|d|w)$/.exec(text) ?? [];
  if (amount === undefined) throw new RangeError(`${JSON.stringify(text)} is not ${DURATION_HELP}${hint(text)}`);
  return Number(amount) * MILLISECONDS[unit as keyof typeof MILLISECONDS];
}

function hint(text: string): string {
  if (/^[0-9]+$/.test(text)) return `: its unit is missing, write ${text}s for seconds`;
  if (/^[0-9]+[A-Z]+$/.test(text)) return `: units are in lower case (ms, s, m, h, d, w)`;
  if (/^[0-9]*\.[0-9]+/.test(text)) return ': write a whole number in a smaller unit';
  if (/^([0-9]+(ms|s|m|h|d|w)){2,}$/.test(text)) return ': write it in the smaller unit alone (90m, not 1h30m)';
  if (text.startsWith('-')) return ': it cannot be negative';
  return '';
}
