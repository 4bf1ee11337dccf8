import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { FakeUpstream } from './fake-upstream.ts';

export interface DebianPackage {
  readonly name: string;
  readonly version: string;
  readonly filename: string;
  readonly deb: Buffer;
  /** What the index says of it, when that is wrong. */
  readonly said?: { readonly size?: number; readonly sha256?: string };
}

export interface DebianSuite {
  /** `dists/stable/`, or a flat repository's folder. */
  readonly folder: string;
  /** Folder of the lists below it; empty in a flat repository. */
  readonly lists: string;
  readonly packages: readonly DebianPackage[];
  readonly byHash?: boolean;
  readonly date: string;
  /** Further files below the suite's folder. */
  readonly files?: Readonly<Record<string, Buffer>>;
}

export const sha256 = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
export const sha512 = (bytes: string | Uint8Array): string => createHash('sha512').update(bytes).digest('hex');

/** One generation of a suite, as an archive would write it; its signature is none. */
export class DebianGeneration {
  readonly suite: DebianSuite;
  /** By path below the suite's folder. */
  readonly listed: ReadonlyMap<string, Buffer>;
  readonly release: string;

  constructor(suite: DebianSuite) {
    this.suite = suite;
    const packages = Buffer.from(suite.packages.map(stanza).join('\n'));
    this.listed = new Map([
      [`${suite.lists}Packages`, packages],
      [`${suite.lists}Packages.gz`, gzipSync(packages)],
      ...Object.entries(suite.files ?? {}),
    ]);
    const section = (title: string, hash: (bytes: Buffer) => string) =>
      `${title}:\n${[...this.listed].map(([name, bytes]) => ` ${hash(bytes)} ${bytes.length} ${name}\n`).join('')}`;
    this.release = `Origin: Example\nDate: ${suite.date}\n${suite.byHash ? 'Acquire-By-Hash: yes\n' : ''}${section('SHA256', sha256)}${section('SHA512', sha512)}`;
  }

  get inRelease(): string {
    return `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n${this.release}${this.signature}`;
  }

  get signature(): string {
    const text = Buffer.from(sha256(this.release)).toString('base64');
    return `-----BEGIN PGP SIGNATURE-----\n\n${text}\n-----END PGP SIGNATURE-----\n`;
  }

  get packagesGz(): Buffer {
    return this.listed.get(`${this.suite.lists}Packages.gz`) as Buffer;
  }

  /** Path of a listed file by its strongest digest. */
  byHash(name = `${this.suite.lists}Packages.gz`): string {
    const folder = name.slice(0, name.lastIndexOf('/') + 1);
    return `/${this.suite.folder}${folder}by-hash/SHA512/${sha512(this.listed.get(name) as Buffer)}`;
  }

  /** The lists under their names; with `byHash` also under their digests. The unpacked Packages is listed, and not there. */
  publishLists(upstream: FakeUpstream): void {
    for (const [name, body] of this.listed) {
      const path = `/${this.suite.folder}${name}`;
      if (name.endsWith('Packages')) {
        upstream.respond(path, { status: 404 });
        continue;
      }
      const lastModified = new Date(this.suite.date).toUTCString();
      upstream.respond(path, { body, headers: { 'content-type': 'application/octet-stream' }, lastModified });
      if (!this.suite.byHash) continue;
      for (const [title, hash] of [
        ['SHA512', sha512],
        ['SHA256', sha256],
      ] as const)
        upstream.respond(this.byHash(name).replace(/SHA512\/.*/, `${title}/${hash(body)}`), { body });
    }
  }

  publishRoot(upstream: FakeUpstream): void {
    this.#root(upstream, 'InRelease', this.inRelease);
  }

  /** As archives did before `InRelease`. */
  publishOldRoot(upstream: FakeUpstream): void {
    upstream.respond(`/${this.suite.folder}InRelease`, { status: 404 });
    this.#root(upstream, 'Release', this.release);
    this.#root(upstream, 'Release.gpg', this.signature);
  }

  publishPool(upstream: FakeUpstream): void {
    for (const { filename, deb } of this.suite.packages)
      upstream.respond(`/${filename.replaceAll('+', '%2b').replaceAll('~', '%7e')}`, {
        body: deb,
        headers: { 'content-type': 'application/vnd.debian.binary-package' },
        lastModified: new Date(this.suite.date).toUTCString(),
      });
  }

  publish(upstream: FakeUpstream): void {
    this.publishPool(upstream);
    this.publishLists(upstream);
    this.publishRoot(upstream);
  }

  #root(upstream: FakeUpstream, name: string, body: string): void {
    const lastModified = new Date(this.suite.date).toUTCString();
    upstream.respond(`/${this.suite.folder}${name}`, { body, lastModified, etag: sha256(body) });
  }
}

function stanza({ name, version, filename, deb, said }: DebianPackage): string {
  const lines = {
    Package: name,
    Version: version,
    Architecture: 'amd64',
    Filename: filename,
    Size: said?.size ?? deb.length,
    SHA256: said?.sha256 ?? sha256(deb),
    Description: `${name}\n of several lines\n .\n of which one is blank`,
  };
  return `${Object.entries(lines)
    .map(([field, value]) => `${field}: ${value}`)
    .join('\n')}\n`;
}
