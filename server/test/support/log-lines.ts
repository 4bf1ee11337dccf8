import { createLog, type ServerLog } from '../../src/app/log.ts';

export type LogLine = Readonly<Record<string, unknown>>;

/** A log whose lines a test can read. */
export async function readableLog(
  level: 'debug' | 'info' = 'info',
): Promise<{ readonly log: ServerLog; readonly text: () => string; readonly lines: (message: string) => LogLine[] }> {
  let written = '';
  const log = await createLog(
    { level, format: 'json' },
    {
      write: (lines) => {
        written += lines;
      },
    },
  );
  const all = (): LogLine[] =>
    written
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  return { log, text: () => written, lines: (message) => all().filter(({ msg }) => msg === message) };
}
