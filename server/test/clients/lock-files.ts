import { parse } from 'yaml';
import type { Locked } from './javascript-client.ts';

/** package-lock.json of npm 7 and newer. */
export function npmLock(text: string): Locked[] {
  const { packages } = JSON.parse(text) as {
    packages: Record<string, { version: string; resolved?: string; integrity?: string }>;
  };
  return Object.entries(packages).flatMap(([path, { version, resolved, integrity }]) => {
    const name = path.split('node_modules/').at(-1);
    return name ? [{ name, version, ...(resolved ? { url: resolved } : {}), ...(integrity ? { integrity } : {}) }] : [];
  });
}

/** pnpm-lock.yaml, version 9. */
export function pnpmLock(text: string): Locked[] {
  const { packages } = parse(text) as {
    packages: Record<string, { resolution: { integrity?: string; tarball?: string } }>;
  };
  return Object.entries(packages).map(([key, { resolution }]) => ({
    ...splitAtLast(key),
    ...(resolution.tarball ? { url: resolution.tarball } : {}),
    ...(resolution.integrity ? { integrity: resolution.integrity } : {}),
  }));
}

/** yarn.lock of yarn 1, a format of its own. */
export function yarnClassicLock(text: string): Locked[] {
  return text
    .split(/\n(?=\S)/)
    .filter((entry) => /^ {2}version /m.test(entry))
    .map((entry) => {
      const [, specifier = ''] = /^"?([^",\s]+)/.exec(entry) ?? [];
      const field = (name: string) => new RegExp(`^ {2}${name} "?([^"\\n]+)`, 'm').exec(entry)?.[1];
      const url = field('resolved');
      const integrity = field('integrity');
      return {
        name: splitAtLast(specifier).name,
        version: field('version') ?? '',
        ...(url ? { url } : {}),
        ...(integrity ? { integrity } : {}),
      };
    });
}

/** yarn.lock of yarn 2 and newer; its own project is left out. */
export function yarnBerryLock(text: string): Locked[] {
  const { __metadata: _, ...entries } = parse(text) as Record<string, { resolution: string; checksum?: string }>;
  return Object.values(entries).flatMap(({ resolution, checksum }) => {
    const [, name, version, archive] = /^(.+)@npm:([^:]+)(?:::__archiveUrl=(.+))?$/.exec(resolution) ?? [];
    if (name === undefined || version === undefined) return [];
    const url = archive === undefined ? {} : { url: decodeURIComponent(archive) };
    return [{ name, version, ...url, ...(checksum ? { integrity: checksum } : {}) }];
  });
}

/** bun.lock: JSON with trailing commas, which YAML reads. */
export function bunLock(text: string): Locked[] {
  const { packages } = parse(text) as {
    packages: Record<string, [id: string, url: string, info: object, integrity: string]>;
  };
  return Object.values(packages).map(([id, url, , integrity]) => ({
    ...splitAtLast(id),
    ...(url ? { url } : {}),
    ...(integrity ? { integrity } : {}),
  }));
}

function splitAtLast(id: string): { name: string; version: string } {
  const at = id.lastIndexOf('@');
  return { name: id.slice(0, at), version: id.slice(at + 1) };
}
