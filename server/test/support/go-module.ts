import { buffer } from 'node:stream/consumers';
import { ZipFile } from 'yazl';
import type { FakeUpstream } from './fake-upstream.ts';

export interface PublishedModule {
  readonly version: string;
  readonly zip: Buffer;
  /** Of the commit, ISO 8601. */
  readonly time?: string;
  /** Left out of `list`, as versions are that are made of a commit. */
  readonly unlisted?: boolean;
}

/** Makes a fake upstream a module proxy that has the module; calling it again is a newer list. `path`: escaped. */
export function publishModule(upstream: FakeUpstream, path: string, versions: readonly PublishedModule[]): void {
  const say = (file: string, body: string | Buffer, type: string) =>
    upstream.respond(`/${path}/${file}`, { body, headers: { 'content-type': type } });
  const listed = versions.filter(({ unlisted }) => !unlisted).map(({ version }) => `${version}\n`);
  say('@v/list', listed.join(''), 'text/plain; charset=utf-8');
  for (const { version, zip, time = '2026-01-01T00:00:00Z' } of versions) {
    const info = JSON.stringify({ Version: version, Time: time });
    say(`@v/${version}.info`, info, 'application/json');
    say(`@v/${version}.mod`, `module ${path}\n`, 'text/plain; charset=utf-8');
    say(`@v/${version}.zip`, zip, 'application/zip');
    say('@latest', info, 'application/json');
  }
}

/** The zip of a version; `files` by their paths in the module. */
export function moduleZip(
  name: string,
  version: string,
  files: Readonly<Record<string, string | Buffer>>,
  { compress = true } = {},
): Promise<Buffer> {
  const zip = new ZipFile();
  for (const [path, bytes] of Object.entries(files))
    zip.addBuffer(Buffer.from(bytes), `${name}@${version}/${path}`, { compress });
  zip.end();
  return buffer(zip.outputStream);
}
