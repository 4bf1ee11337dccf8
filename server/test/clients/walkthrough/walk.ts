/** What a reader of a document does, in order. */
export type Step =
  /** Types the lines; when a block follows that shows an answer, `answer` is its text. */
  | { readonly kind: 'run'; readonly commands: string; readonly answer?: string }
  /** Puts the text into a file. */
  | { readonly kind: 'write'; readonly file: string; readonly text: string };

interface Fence {
  readonly language: string;
  readonly info: readonly string[];
  readonly text: string;
}

/**
 * The steps that a Markdown document shows: fenced blocks marked `sh walk` and `hcl walk <file>`, and the `json` block that
 * follows a command as what its last line prints.
 */
export function stepsOf(document: string): Step[] {
  const fences = [...document.matchAll(/^```(\w+)([^\n]*)\n([\s\S]*?)^```$/gm)].map(
    ([, language = '', info = '', text = '']): Fence => ({ language, info: info.trim().split(/\s+/), text }),
  );
  return fences.flatMap(({ language, info: [mark, file], text }, at): Step[] => {
    if (mark !== 'walk') return [];
    if (language !== 'sh') return [{ kind: 'write', file: nameOf(file, text), text }];
    const next = fences[at + 1];
    return [{ kind: 'run', commands: text, ...(next?.language === 'json' ? { answer: next.text.trim() } : {}) }];
  });
}

function nameOf(file: string | undefined, text: string): string {
  if (file === undefined) throw new Error(`A block to walk through names no file:\n${text}`);
  return file;
}
