import manifest from '../package.json' with { type: 'json' };
import schema from '../schema.json' with { type: 'json' };
import { refusal, serveDetached, servePlugin } from './plugin/serve.ts';
import { providerMethods } from './provider.ts';
import type { SchemaFile } from './schema.ts';

const SOURCE = 'registry.terraform.io/entrepot/entrepot';

/** Started by Terraform; with `--debug` by a person, who then runs Terraform with the variable that is printed. */
async function main(): Promise<void> {
  const methods = providerMethods(schema as unknown as SchemaFile, manifest.version, process.env);
  if (process.argv.includes('--debug')) {
    const reattach = await serveDetached(methods, SOURCE);
    process.stdout.write(`TF_REATTACH_PROVIDERS='${reattach}'\n`);
    return;
  }
  const refused = refusal(process.env);
  if (refused === undefined) return servePlugin(methods, process.env);
  process.stderr.write(`${refused}\n`);
  process.exitCode = 1;
}

void main();
