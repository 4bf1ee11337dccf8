import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

const suite = (name: string, include: string[], exclude: string[], timeoutMs: number) => ({
  extends: true as const,
  test: {
    name,
    root: here('.'),
    include,
    exclude: ['**/node_modules/**', '**/dist/**', ...exclude],
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
    // How long a test may wait for what happens by itself: on a loaded machine that takes a while, and nothing is measured.
    expect: { poll: { timeout: 15_000, interval: 20 } },
  },
});

const clientSuites = [
  'server/src/formats/**/client.test.ts',
  'server/test/clients/**/*.test.ts',
  'terraform-provider/test/**/*.test.ts',
];
const serviceSuites = ['server/test/services/**/*.test.ts'];
/** What must hold wherever things are kept. */
const everywhere = ['server/test/{api,data-plane}/**/*.test.ts', 'server/test/cli*.test.ts'];
const overServices = suite(
  'over services',
  everywhere,
  // The first damages the files of blobs; the second is about upstreams alone, and long.
  ['server/test/data-plane/gradle-cache.test.ts', 'server/test/data-plane/quirks.test.ts'],
  120_000,
);

export default defineConfig({
  root: here('.'),
  test: {
    root: here('.'),
    environment: 'node',
    pool: 'forks',
    reporters: ['default', here('scripts/closing-line.mjs')],
    projects: [
      suite(
        'unit',
        ['server/{src,test}/**/*.test.ts', 'terraform-provider/src/**/*.test.ts', 'scripts/**/*.test.mjs'],
        [...clientSuites, ...serviceSuites],
        90_000,
      ),
      suite('clients', clientSuites, [], 300_000),
      suite('services', serviceSuites, [], 120_000),
      {
        ...overServices,
        test: { ...overServices.test, globalSetup: here('server/test/services/services.setup.ts') },
      },
    ],
  },
});
