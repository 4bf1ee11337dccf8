import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/**
 * What mutants are run against. Without the laws: what they draw is random, and a mutant that survives one draw in ten
 * would come and go; what matters has an example of its own.
 */
export default defineConfig({
  root: here('../..'),
  test: {
    environment: 'node',
    include: ['server/src/policy/*.test.ts', 'server/src/engine/{guarded,guarded-parts,judge,first-seen}.test.ts'],
    exclude: ['**/*-laws.test.ts'],
    // Each mutant has a worker of its own; the test files in it share what they import, which is most of their time.
    isolate: false,
    setupFiles: [here('seed.ts')],
  },
});
