/** A fenced block of a Markdown page. */
export interface Fence {
  readonly language: string;
  readonly text: string;
}

export interface Command {
  readonly text: string;
  /** What the page shows that it prints. */
  readonly answer?: string;
}

/** The blocks as a reader would write them at `now`: what ends does so a day later. */
export function fencesOf(page: string, now: number): readonly Fence[] {
  const tomorrow = new Date(now + 86_400_000).toISOString();
  return [...page.matchAll(/^```(\w+)[^\n]*\n([\s\S]*?)^```$/gm)].map(([, language = '', text = '']) => ({
    language,
    text: text.replaceAll(/(?<="expires_at": ")\d[^"]+/g, tomorrow),
  }));
}

/** The `sh` blocks, each with the `json` or `text` block that follows it. */
export function answersOf(fences: readonly Fence[]): readonly Command[] {
  return fences.flatMap(({ language, text }, at): Command[] => {
    if (language !== 'sh') return [];
    const next = fences[at + 1];
    return [{ text, ...(next && next.language !== 'sh' && next.language !== 'hcl' ? { answer: next.text } : {}) }];
  });
}

/**
 * What of the answer is not in what was printed; empty: all of it is, in its order. Dates, ages and ids are the reader's own; `…`
 * stands for anything, and alone in a line for any number of lines.
 */
export function shows(printed: string, answer: string): string {
  const lines = printed.split('\n').map(timeless);
  let at = 0;
  for (const wanted of answer.trimEnd().split('\n').map(timeless)) {
    if (wanted === '…') continue;
    const found = lines.findIndex((line, number) => number >= at && isShown(line, wanted));
    if (found < 0) return wanted;
    at = found + 1;
  }
  return '';
}

function isShown(line: string, wanted: string): boolean {
  const parts = wanted.split(/\s*…/).map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(line);
}

function timeless(line: string): string {
  return line
    .replaceAll(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z| UTC)/g, '<time>')
    .replaceAll(/\b\d+ (?:hours?|days?)\b/g, '<age>')
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<id>')
    .replaceAll(/ {2,}(?=\S)/g, '  ')
    .trimEnd();
}
