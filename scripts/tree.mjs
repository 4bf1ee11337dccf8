import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Every file of the working tree that is not ignored, from the root of the checkout, in order. */
export function filesOfTree() {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    encoding: 'utf8',
    maxBuffer: Number.POSITIVE_INFINITY,
  });
  return [...new Set(listed.split('\0'))].filter((file) => file && existsSync(file)).sort();
}
