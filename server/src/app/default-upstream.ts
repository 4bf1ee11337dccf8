import { PackageURL, UrlConverter } from '@socketregistry/packageurl-js';
import type { AnyFormat } from '../engine/format.ts';

/**
 * Address of the public registry of a format, without a trailing slash; undefined when there is none that is known. Where the
 * format names a sample package, it is the origin of that package's download URL as the PURL library builds it, and the
 * folder above the package's own path where the format knows that path.
 */
export function defaultUpstream({ traits: { upstream } }: AnyFormat): string | undefined {
  if (!upstream) return undefined;
  if ('url' in upstream) return upstream.url.replace(/\/+$/, '');
  const download = UrlConverter.toDownloadUrl(PackageURL.fromString(upstream.sample));
  if (!download) return undefined;
  const { protocol, host, pathname } = new URL(download.url);
  const folder = upstream.file !== undefined && pathname.endsWith(`/${upstream.file}`);
  const path = folder ? pathname.slice(0, -`/${upstream.file}`.length) : '';
  return `${protocol}//${upstream.subdomain === undefined ? '' : `${upstream.subdomain}.`}${host}${path}`;
}
