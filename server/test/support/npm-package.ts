import { createHash } from 'node:crypto';
import type { FakeUpstream } from './fake-upstream.ts';

export interface Published {
  readonly version: string;
  readonly tarball: Buffer;
  /** ISO 8601. */
  readonly at?: string;
  /** What the packument says instead of the tarball's own digest. */
  readonly integrity?: string;
}

/** Makes a fake upstream an npm registry that has the package; calling it again is a newer packument. */
export function publish(
  upstream: FakeUpstream,
  name: string,
  releases: readonly Published[],
  latest = releases.at(-1)?.version,
): void {
  const base = name.slice(name.indexOf('/') + 1);
  const path = (version: string) => `/${name}/-/${base}-${version}.tgz`;
  const versions = releases.map(({ version, tarball, integrity }) => [
    version,
    { name, version, dist: { tarball: `https://upstream.test${path(version)}`, integrity: integrity ?? sri(tarball) } },
  ]);
  const packument = {
    name,
    'dist-tags': { latest },
    versions: Object.fromEntries(versions),
    time: Object.fromEntries(releases.map(({ version, at }) => [version, at ?? '2026-01-01T00:00:00.000Z'])),
  };
  const body = Buffer.from(JSON.stringify(packument));
  upstream.respond(`/${name.replace('/', '%2f')}`, {
    body,
    headers: { 'content-type': 'application/json' },
    etag: digest(body),
  });
  for (const { version, tarball } of releases) {
    upstream.respond(path(version), { body: tarball, headers: { 'content-type': 'application/octet-stream' } });
  }
}

export function sri(bytes: Uint8Array): string {
  return `sha512-${createHash('sha512').update(bytes).digest('base64')}`;
}

function digest(bytes: Uint8Array): string {
  return createHash('sha1').update(bytes).digest('hex');
}
