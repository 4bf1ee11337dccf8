import { PackageURL, UrlConverter } from '@socketregistry/packageurl-js';

/** Tells a file's own registry from others that some of its packages come from. */
export class Registries {
  readonly #own: readonly string[];
  readonly #public: string | undefined;
  #usual: string | undefined;

  /** `own` are addresses of registries whose packages are asked about whatever else the file says. */
  constructor(type: string, own: readonly string[]) {
    this.#own = own.map(withoutSlash);
    this.#public = publicHost(type);
  }

  /**
   * Where most of a file's packages come from is its usual registry: files made with a mirror name the mirror, and which
   * alias of the public registry a client writes is its own affair. Packages without an address are from the client's own.
   */
  weigh(addresses: readonly (string | undefined)[]): void {
    const counts = new Map<string | undefined, number>();
    for (const address of addresses) {
      const key = address === undefined ? undefined : withoutSlash(address);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    this.#usual = [...counts].sort(([, one], [, other]) => other - one)[0]?.[0];
  }

  has(address: string): boolean {
    const plain = withoutSlash(address);
    return plain === this.#usual || isPublic(plain, this.#public) || this.#own.some((own) => within(plain, own));
  }
}

/** Cargo calls the public registry by the Git repository that its index once was: named after the registry's host. */
function isPublic(address: string, host: string | undefined): boolean {
  if (host === undefined || !URL.canParse(address)) return false;
  const { hostname } = new URL(address);
  return hostname === host || hostname.endsWith(`.${host}`) || address.endsWith(`/rust-lang/${host}-index`);
}

function publicHost(type: string): string | undefined {
  const sample = new PackageURL(type, type === 'maven' ? 'sample' : undefined, 'sample', '1.0.0', undefined, undefined);
  const url = UrlConverter.toDownloadUrl(sample)?.url;
  return url === undefined ? undefined : new URL(url).hostname;
}

const within = (address: string, own: string): boolean => address === own || address.startsWith(`${own}/`);

function withoutSlash(address: string): string {
  let end = address.length;
  while (address[end - 1] === '/') end -= 1;
  return address.slice(0, end);
}
