import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

/** Of docker-compose.yml, as far as these tests look at it. */
export interface Service {
  readonly image: string;
  readonly build?: { readonly args: Readonly<Record<string, string>> };
  readonly hostname?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly networks: readonly string[] | Readonly<Record<string, { readonly ipv4_address?: string }>>;
  readonly restart: string;
  readonly read_only?: boolean;
  readonly tmpfs?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly stop_grace_period?: string;
  readonly deploy?: { readonly resources: { readonly limits: { readonly memory: string } } };
}

export interface ComposeFile {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
}

const root = (name: string) => new URL(`../../../${name}`, import.meta.url);
export const deployed = (name: string): string => readFileSync(root(name), 'utf8');

/** `${NAME}`, `${NAME:-otherwise}`, `${NAME:?what to do}`. */
const VARIABLE = /\$\{(\w+)(?::([-?])([^}]*))?\}/g;

/** Every variable that the file asks for: what stands in its place, or that it must be given. */
export function variablesOf(
  text: string,
): ReadonlyMap<string, { readonly otherwise?: string; readonly help?: string }> {
  return new Map(
    [...text.matchAll(VARIABLE)].map(([, name = '', how, words = '']) => [
      name,
      how === '-' ? { otherwise: words } : how === '?' ? { help: words } : {},
    ]),
  );
}

/** With what `.env` gives; throws for a variable that must be given and is not. */
export function interpolated(text: string, given: Readonly<Record<string, string>>): string {
  return text.replaceAll(VARIABLE, (_, name: string, how?: string, words = '') => {
    const value = given[name] || (how === '-' ? words : undefined);
    if (value === undefined) throw new Error(`${name}: ${words}`);
    return value;
  });
}

/** The example with a secret of 48 characters wherever it leaves one open. */
export function filledExample(): Record<string, string> {
  const lines = deployed('deploy/compose/env.example').matchAll(/^([A-Z_]+)=(.*)$/gm);
  return Object.fromEntries([...lines].map(([, name = '', value = '']) => [name, value || '0a'.repeat(24)]));
}

export function composeFile(given = filledExample()): ComposeFile {
  return parse(interpolated(deployed('docker-compose.yml'), given), { merge: true }) as ComposeFile;
}
