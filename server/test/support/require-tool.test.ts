import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { requireTool } from './require-tool.ts';

const skippable = {
  skip(note?: string): never {
    throw new Error(`skipped: ${note}`);
  },
};
const here = { PATH: `/nowhere:${dirname(process.execPath)}` };

test('a program on PATH is found', () => {
  expect(requireTool(skippable, 'node', 'install Node', here)).toBe(process.execPath);
});

test('without it the test is skipped, and says how to get it', () => {
  expect(() => requireTool(skippable, 'no-such-tool', 'ask a colleague', here)).toThrow(
    'skipped: no-such-tool is not on PATH: ask a colleague',
  );
});

test('in CI it fails instead', () => {
  expect(() => requireTool(skippable, 'no-such-tool', 'ask a colleague', { ...here, CI: 'true' })).toThrow(
    /^no-such-tool is not on PATH: ask a colleague$/,
  );
});
