import { readFileSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import { join } from 'node:path';
import type { Connection } from './client.ts';
import { Refusal } from './diagnostics.ts';
import type { FieldSchema } from './schema.ts';
import { type Fields, isUnknown } from './value.ts';

export const SETTINGS: readonly FieldSchema[] = [
  {
    name: 'url',
    type: 'string',
    format: 'url',
    description:
      'Where Entrepot serves. Default: the environment variable `ENTREPOT_URL`, else `http://127.0.0.1:8080`.',
  },
  {
    name: 'token',
    type: 'string',
    secret: true,
    minLength: 1,
    description:
      'A token that may manage resources. Default: the environment variable `ENTREPOT_TOKEN`, else, when `url` is this machine, the token that the server keeps in the file `admin-token` of its data folder (`ENTREPOT_DATA`, else `./data`).',
  },
  {
    name: 'ca_pem',
    type: 'string',
    format: 'pem',
    description:
      'Certificates (PEM) of the authorities to trust besides those of the system, when Entrepot serves HTTPS with a certificate of your own.',
  },
];

type Environment = Readonly<Record<string, string | undefined>>;

/** What the provider block and the environment say. Throws Refusal naming the setting that is missing or wrong. */
export function connectionOf(config: Fields, env: Environment, userAgent: string): Connection {
  for (const { name } of SETTINGS) if (isUnknown(config[name])) throw notKnownYet(name);
  const url = urlOf(config, env);
  return {
    url,
    ...tokenOf(config, env, url),
    ...(typeof config.ca_pem === 'string' && { caPem: config.ca_pem }),
    userAgent,
  };
}

function urlOf(config: Fields, env: Environment): string {
  const url = textOf(config.url) ?? textOf(env.ENTREPOT_URL) ?? 'http://127.0.0.1:8080';
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) {
    throw new Refusal({
      summary: 'Invalid url',
      detail: `${JSON.stringify(url)} is not the address of a server. Set url, or ENTREPOT_URL, to one such as http://127.0.0.1:8080.`,
      path: ['url'],
    });
  }
  return url.replace(/\/+$/, '');
}

function tokenOf(config: Fields, env: Environment, url: string): Pick<Connection, 'token' | 'tokenSource'> {
  const given = textOf(config.token);
  if (given !== undefined) return { token: clean(given, 'token'), tokenSource: 'the provider block' };
  const fromEnv = textOf(env.ENTREPOT_TOKEN);
  if (fromEnv !== undefined) return { token: clean(fromEnv, 'ENTREPOT_TOKEN'), tokenSource: 'ENTREPOT_TOKEN' };
  const file = join(textOf(env.ENTREPOT_DATA) ?? 'data', 'admin-token');
  const loopback = isLoopback(new URL(url).hostname);
  const token = loopback ? tokenFile(file) : undefined;
  if (token !== undefined) return { token: clean(token, file), tokenSource: file };
  throw new Refusal({
    summary: 'No token for Entrepot',
    detail: `Set token in the provider block, or the environment variable ENTREPOT_TOKEN.${loopback ? ` For the server on this machine, ENTREPOT_DATA may name its data folder instead: there is no readable file ${file}.` : ''}`,
    path: ['token'],
  });
}

/** Only what is certain: names that merely begin like an address of this machine are others'. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || (isIPv4(host) && host.startsWith('127.'));
}

function tokenFile(file: string): string | undefined {
  try {
    return textOf(readFileSync(file, 'utf8').trim());
  } catch {
    return undefined;
  }
}

/** A header cannot carry everything; what cannot be a token is named without being shown. */
function clean(token: string, source: string): string {
  const trimmed = token.trim();
  if (/^[\x21-\x7e]+$/.test(trimmed)) return trimmed;
  throw new Refusal({
    summary: 'Invalid token',
    detail: `${source} holds characters that no token has, such as spaces or line breaks.`,
    path: ['token'],
  });
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function notKnownYet(name: string): Refusal {
  return new Refusal({
    summary: `${name} is not known yet`,
    detail: `The provider needs its ${name} to make a plan, but it comes from a resource that is not there yet. Use a value that is known, or first run terraform apply with -target for the resource it comes from.`,
    path: [name],
  });
}
