import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Outcome {
  readonly code: number;
  /** stdout and stderr. */
  readonly text: string;
}

const PLAN_EMPTY = 0;

/** Where the Terraform CLI is; throws with how to get it when there is none. */
export function terraformPath(): string {
  const found = spawnSync('terraform', ['version'], { encoding: 'utf8', env: { PATH: process.env.PATH } });
  if (found.status === 0) return 'terraform';
  throw new Error(
    'These tests run the real Terraform CLI, and there is none on PATH: install Terraform 1.11 or newer from its download page.',
  );
}

/** A folder with a configuration, and the real Terraform in it; it sees nothing of this user's own settings. */
export class Workspace {
  readonly folder = mkdtempSync(join(tmpdir(), 'entrepot-tf-'));
  readonly #env: Readonly<Record<string, string>>;

  constructor(env: Readonly<Record<string, string>>) {
    const config = join(this.folder, 'cli.tfrc');
    writeFileSync(config, '');
    this.#env = {
      PATH: process.env.PATH ?? '',
      HOME: this.folder,
      TF_CLI_CONFIG_FILE: config,
      CHECKPOINT_DISABLE: '1',
      TF_IN_AUTOMATION: '1',
      ...env,
    };
  }

  /** Uses the built provider in `folder` without `terraform init`. */
  override(folder: string): this {
    const rules = `provider_installation {\n  dev_overrides {\n    "entrepot/entrepot" = ${JSON.stringify(folder)}\n  }\n}\n`;
    writeFileSync(join(this.folder, 'cli.tfrc'), rules);
    return this;
  }

  /** `main.tf`, after the block that names the provider, which takes its first HEAD_LINES lines. */
  write(resources: string, file = 'main.tf'): void {
    const head = file === 'main.tf' ? REQUIRED : '';
    writeFileSync(join(this.folder, file), `${head}${resources}\n`);
  }

  remove(file: string): void {
    rmSync(join(this.folder, file), { force: true });
  }

  run(...args: readonly string[]): Promise<Outcome> {
    return new Promise((resolve) => {
      execFile(
        'terraform',
        [...args],
        { cwd: this.folder, env: this.#env, maxBuffer: 1 << 26 },
        (error, stdout, stderr) => {
          const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
          resolve({ code, text: withoutNotice(`${stdout}${stderr}`) });
        },
      );
    });
  }

  async apply(...args: readonly string[]): Promise<string> {
    return this.#succeed('apply', '-auto-approve', '-no-color', ...args);
  }

  async destroy(): Promise<string> {
    return this.#succeed('destroy', '-auto-approve', '-no-color');
  }

  async succeed(...args: readonly string[]): Promise<string> {
    return this.#succeed(...args);
  }

  /** What a second plan would change: empty text when nothing. */
  async pending(): Promise<string> {
    const { code, text } = await this.run('plan', '-no-color', '-detailed-exitcode');
    return code === PLAN_EMPTY ? '' : text;
  }

  async fail(...args: readonly string[]): Promise<string> {
    const { code, text } = await this.run(...args, '-no-color');
    if (code !== 1) throw new Error(`terraform ${args.join(' ')} did not fail (${code}):\n${text}`);
    return text;
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #succeed(...args: readonly string[]): Promise<string> {
    const { code, text } = await this.run(...args);
    if (code !== 0) throw new Error(`terraform ${args.join(' ')} failed (${code}):\n${text}`);
    return text;
  }
}

const REQUIRED = `terraform {
  required_providers {
    entrepot = { source = "entrepot/entrepot" }
  }
}
`;

export const HEAD_LINES = REQUIRED.split('\n').length - 1;

/** Errors wrap at 78 columns inside a frame; joined again they can be searched for sentences. */
export function unwrapped(text: string): string {
  return text.replace(/^[│╷╵] ?/gm, '').replace(/\s*\n\s*/g, ' ');
}

function withoutNotice(text: string): string {
  return text.replace(/Warning: Provider development overrides[\s\S]*?published\s*(│\s*)?releases\.\n/g, '');
}
