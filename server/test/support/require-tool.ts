import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** As much of a test's context as is needed to skip it. */
interface Skippable {
  skip(note?: string): never;
}

/**
 * Absolute path of a program on PATH. Without it the test is skipped with `howToGetIt` on a developer's machine, and
 * fails with the same words where CI is `true`.
 */
export function requireTool(context: Skippable, program: string, howToGetIt: string, env = process.env): string {
  const found = (env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, program));
  const path = found.find(isExecutable);
  if (path !== undefined) return path;
  const note = `${program} is not on PATH: ${howToGetIt}`;
  if (env['CI'] === 'true') throw new Error(note);
  return context.skip(note);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
