import { own, type Table, table } from './values.ts';

/** The parts of an npm package's name, as its purl has them. */
export function npmName(full: string): { readonly namespace?: string; readonly name: string } {
  const slash = full.indexOf('/');
  return full.startsWith('@') && slash > 0
    ? { namespace: full.slice(0, slash), name: full.slice(slash + 1) }
    : { name: full };
}

/** `@s/foo@1.0.0` → its name and what follows; undefined when there is no version. */
export function splitAt(spec: string): { readonly name: string; readonly rest: string } | undefined {
  const at = spec.indexOf('@', 1);
  return at < 0 || at === spec.length - 1 ? undefined : { name: spec.slice(0, at), rest: spec.slice(at + 1) };
}

/**
 * The registry whose tarball of a package this is: what stands before `/<name>/-/`, as in every npm registry's addresses, or
 * before `/download/<name>/`, as in GitHub's. Undefined for any other address: that one was given by hand.
 */
export function registryOf(name: string, url: string): string | undefined {
  if (!/^https?:\/\//.test(url)) return undefined;
  const plain = url.replaceAll(/%2f/gi, '/').replaceAll(/%40/g, '@');
  const end = [`/${name}/-/`, `/download/${name}/`].map((part) => plain.indexOf(part)).find((index) => index > 0);
  return end === undefined ? undefined : plain.slice(0, end);
}

/** Why what comes from this address is not a registry's: `from Git`, `a file or folder` … */
export function elsewhere(address: string): string {
  if (/^(?:git[+:@]|github:|gitlab:|bitbucket:|gist:|ssh:)|\.git(?:#|$)|#commit=/.test(address)) return 'from Git';
  if (/^(?:file|link|portal):|^\.{0,2}\//.test(address)) return 'a file or folder';
  if (/^workspace:/.test(address)) return 'a folder of this project';
  return `from an address of its own, ${address}`;
}

const ALGORITHMS = ['sha512', 'sha384', 'sha256', 'sha1'];

/** The strongest digest of a Subresource Integrity, as `sha512:<hex>`. */
export function digestOf(integrity: unknown): string | undefined {
  if (typeof integrity !== 'string') return undefined;
  const parts = integrity.split(/\s+/).map((part) => /^(\w+)-([\w+/]+={0,2})/.exec(part));
  for (const algorithm of ALGORITHMS) {
    const [, , base64] = parts.find((part) => part?.[1] === algorithm) ?? [];
    if (base64 !== undefined) return `${algorithm}:${Buffer.from(base64, 'base64').toString('hex')}`;
  }
  return undefined;
}

/** What a project, or a workspace of it, asks for: names, and what the lock file says of each. */
export function* dependenciesOf(project: Table): Iterable<readonly [name: string, value: unknown]> {
  for (const kind of ['dependencies', 'devDependencies', 'optionalDependencies'])
    yield* Object.entries(table(own(project, kind)));
}
