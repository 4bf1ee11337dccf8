/** A number of bytes as it is written: a whole number, with or without a unit. */
export const BYTES_PATTERN = '^([0-9]{1,15}B?|[0-9]{1,6}(kB|MB|GB|TB|KiB|MiB|GiB|TiB))$';
export const BYTES_HELP = 'a size such as 500kB, 150MB, 2GB (powers of 1000) or 64MiB (powers of 1024)';

const BYTES = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
} as const;

const UNITS = new Map(Object.keys(BYTES).map((unit) => [unit.toLowerCase(), unit]));

/** Bytes of `150MB`, `64MiB`, `1048576`. Throws `RangeError` saying what is wrong and what is allowed. */
export function bytes(text: string): number {
  const [, amount, unit = 'B'] = /^([0-9]{1,15})(B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)?$/.exec(text) ?? [];
  if (amount === undefined || !new RegExp(BYTES_PATTERN).test(text)) {
    throw new RangeError(`${JSON.stringify(text)} is not ${BYTES_HELP}${hint(text)}`);
  }
  const size = Number(amount) * BYTES[unit as keyof typeof BYTES];
  if (size > Number.MAX_SAFE_INTEGER) throw new RangeError(`${JSON.stringify(text)} is more than 9000TB`);
  return size;
}

function hint(text: string): string {
  const unit = UNITS.get((/^[0-9]+([A-Za-z]+)$/.exec(text)?.[1] ?? '').toLowerCase());
  if (unit) return `: the unit is written ${unit}`;
  if (/^[0-9]*\.[0-9]+/.test(text)) return ': write a whole number in a smaller unit';
  if (/^[0-9]+\s+[A-Za-z]+$/.test(text)) return ': there is no space before the unit';
  if (text.startsWith('-')) return ': it cannot be negative';
  return '';
}
