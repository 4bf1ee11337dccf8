import { execFile } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type CliConfiguration, readCliConfiguration } from './terraform-cli-config.ts';
import { launcher } from './terraform-launcher.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface InstallOptions {
  /** The user's home folder: Terraform looks below its `.terraform.d`. */
  readonly home: string;
  readonly env: Environment;
  /** The Node (20 or newer) that is to run the provider. */
  readonly node: string;
  /** Folder of the built provider; default: that of this installation. */
  readonly provider?: string;
  /** What `terraform version -json` says; undefined when there is no Terraform. Default: asks the one on PATH. */
  readonly terraform?: () => Promise<TerraformVersion | undefined>;
}

interface TerraformVersion {
  readonly version: string;
  /** `linux_amd64` */
  readonly platform: string;
}

export interface Installation {
  readonly version: string;
  /** Where the provider was put: the folder of its package. */
  readonly folder: string;
  readonly outcome: 'installed' | 'replaced' | 'unchanged';
  /** What the user still has to do before `terraform init` finds it; empty: nothing. */
  readonly todo: readonly string[];
  /** All of it, for a terminal. */
  readonly report: string;
}

const SOURCE = 'registry.terraform.io/entrepot/entrepot';
const BUNDLE = 'provider.cjs';

/**
 * Puts the provider where the Terraform CLI finds it from any folder: the local mirror that Terraform looks at by
 * itself, or the one that the user's CLI configuration names for it. Doing it twice is doing it once.
 * Throws Error, its message for a person, when the provider is not built, the platform has no package or a folder
 * cannot be written.
 */
export async function installProvider(options: InstallOptions): Promise<Installation> {
  const bundle = await builtBundle(
    options.provider ?? fileURLToPath(new URL('../../../terraform-provider/dist/', import.meta.url)),
  );
  const terraform = await (options.terraform ?? (() => askTerraform(options.env)))();
  const configuration = await readCliConfiguration(options.home, options.env, SOURCE);
  const mirror = resolve(configuration.mirror ?? join(options.home, '.terraform.d', 'plugins'));
  const folder = join(mirror, SOURCE, bundle.version, terraform?.platform ?? platform());
  const changes = [
    await put(join(folder, BUNDLE), bundle.source, 0o644),
    await put(join(folder, bundle.name), launcher(BUNDLE), 0o755),
  ];
  await point(join(options.home, '.terraform.d', 'entrepot', 'node'), options.node);
  const outcome = changes.includes('replaced') ? 'replaced' : changes.includes('installed') ? 'installed' : 'unchanged';
  const todo = todoOf(configuration, mirror, terraform, options.env);
  const installed = { version: bundle.version, folder, outcome, todo } as const;
  return { ...installed, report: reportOf(installed, mirror) };
}

interface Bundle {
  /** `terraform-provider-entrepot_v0.1.0` */
  readonly name: string;
  readonly version: string;
  readonly source: Buffer;
}

async function builtBundle(folder: string): Promise<Bundle> {
  const names = await readdir(folder).catch(() => []);
  const name = names.find((each) => each.startsWith('terraform-provider-entrepot_v'));
  if (name === undefined)
    throw new Error(`The provider is not built: there is none in ${folder}. Run npm run build first.`);
  return { name, version: name.slice(name.indexOf('_v') + 2), source: await readFile(join(folder, name)) };
}

async function askTerraform(env: Environment): Promise<TerraformVersion | undefined> {
  try {
    const { stdout } = await promisify(execFile)('terraform', ['version', '-json'], {
      env: { ...env, CHECKPOINT_DISABLE: '1' },
    });
    const { terraform_version: version, platform } = JSON.parse(stdout) as {
      terraform_version: string;
      platform: string;
    };
    return { version, platform };
  } catch {
    return undefined;
  }
}

function platform(): string {
  const architecture = { x64: 'amd64', arm64: 'arm64' }[process.arch as string];
  if (architecture !== undefined && (process.platform === 'linux' || process.platform === 'darwin'))
    return `${process.platform}_${architecture}`;
  throw new Error(
    `There is no package of the provider for ${process.platform} on ${process.arch}: it runs on Linux and macOS, amd64 and arm64.`,
  );
}

/** Written beside and renamed, so that a Terraform that runs now keeps the file it has opened. */
async function put(
  file: string,
  content: Buffer | string,
  mode: number,
): Promise<'installed' | 'replaced' | 'unchanged'> {
  const before = await readFile(file).catch(() => undefined);
  if (before?.equals(Buffer.from(content))) {
    await chmod(file, mode);
    return 'unchanged';
  }
  const beside = `${file}.${process.pid}.new`;
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(beside, content, { mode });
    await chmod(beside, mode);
    await rename(beside, file);
  } catch (cause) {
    throw new Error(
      `Cannot write ${file}: ${(cause as Error).message}. Make the folder writable for this user and run it again.`,
      { cause },
    );
  }
  return before === undefined ? 'installed' : 'replaced';
}

/** Which Node to use stands outside the package, whose checksum is then the same on every machine. */
async function point(link: string, target: string): Promise<void> {
  if ((await readlink(link).catch(() => undefined)) === target) return;
  await mkdir(dirname(link), { recursive: true });
  await rm(link, { force: true });
  await symlink(target, link);
}

function todoOf(
  configuration: CliConfiguration,
  mirror: string,
  terraform: TerraformVersion | undefined,
  env: Environment,
): readonly string[] {
  const todo: string[] = [];
  if (terraform === undefined) todo.push('There is no Terraform on PATH: install version 1.0 or newer.');
  else if (/^0\./.test(terraform.version))
    todo.push(`Terraform ${terraform.version} is too old for this provider: install version 1.0 or newer.`);
  const pluginDir = ['TF_CLI_ARGS', 'TF_CLI_ARGS_init'].find((name) => env[name]?.includes('-plugin-dir'));
  if (pluginDir)
    todo.push(
      `${pluginDir} sets -plugin-dir, which hides every other folder: remove it, or add -plugin-dir=${mirror} to it.`,
    );
  if (configuration.override) {
    todo.push(
      `${configuration.file} has dev_overrides for entrepot/entrepot: Terraform uses ${configuration.override} until that line is removed.`,
    );
  }
  for (const method of configuration.alsoAsked) {
    todo.push(
      `${configuration.file} lets Terraform also ask its ${method} for this provider: add to that block\n\n    exclude = ["${SOURCE}"]`,
    );
  }
  if (configuration.installation && configuration.mirror === undefined) {
    todo.push(
      `${configuration.file} says where providers come from, and no folder there may hold this one: add to its provider_installation block\n\n    filesystem_mirror {\n      path    = ${JSON.stringify(mirror)}\n      include = ["${SOURCE}"]\n    }`,
    );
  }
  return todo;
}

function reportOf({ version, folder, outcome, todo }: Omit<Installation, 'report'>, mirror: string): string {
  const said = {
    installed: `Installed the Entrepot provider ${version} in ${folder}`,
    replaced: `Replaced the Entrepot provider ${version} in ${folder}`,
    unchanged: `The Entrepot provider ${version} is in ${folder} already`,
  }[outcome];
  const stale = `Folders that were initialised with the earlier files refuse the new ones, by their checksum. In each run

    terraform providers lock -fs-mirror=${mirror} ${SOURCE}
    terraform init`;
  const next = `Use it from any folder:

    terraform {
      required_providers {
        entrepot = {
          source  = "entrepot/entrepot"
          version = "~> ${version.split('.').slice(0, 2).join('.')}"
        }
      }
    }

then run terraform init. ENTREPOT_URL and ENTREPOT_TOKEN say where Entrepot is and who you are.`;
  return [said, ...todo.map((each) => `To do: ${each}`), ...(outcome === 'replaced' ? [stale] : []), next].join('\n\n');
}
