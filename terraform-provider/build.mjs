import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const HERE = import.meta.dirname;

/** Bundles the provider into `outdir`: one executable file that Node 20 or newer runs, and the package.json it needs. */
export async function buildProvider({ outdir = join(HERE, 'dist'), schema = join(HERE, 'schema.json') } = {}) {
  const { version } = JSON.parse(await readFile(join(HERE, 'package.json'), 'utf8'));
  const outfile = join(outdir, `terraform-provider-entrepot_v${version}`);
  await rm(outdir, { recursive: true, force: true });
  await build({
    entryPoints: [join(HERE, 'src/main.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    minify: true,
    lineLimit: 160,
    logLevel: 'warning',
    banner: { js: '#!/usr/bin/env node' },
    plugins: [
      { name: 'schema', setup: (setup) => setup.onResolve({ filter: /\/schema\.json$/ }, () => ({ path: schema })) },
    ],
  });
  // without a package.json beside it Node would read the file as the nearest one above says, perhaps as an ES module
  await writeFile(join(outdir, 'package.json'), '{"type":"commonjs"}\n');
  await chmod(outfile, 0o755);
  return { outdir, outfile, version };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { outfile } = await buildProvider();
  process.stdout.write(`${outfile}\n`);
}
