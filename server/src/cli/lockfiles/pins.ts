import { PackageURL } from '@socketregistry/packageurl-js';
import type { LockText } from './lock-text.ts';
import { Registries } from './registries.ts';

/** One release that a lock file holds a build to. */
export interface Pin {
  /** Canonical, without qualifiers: `pkg:npm/%40s/foo@1.0.0`. */
  readonly purl: string;
  /** Where it stands first, from 1. */
  readonly line?: number;
  /** `<algorithm>:<hex>`, or Go's `h1:<base64>` of a module's files; left out where a release has several files. */
  readonly digest?: string;
  /** Whether the project itself asks for it; left out where the file does not say. */
  readonly direct?: boolean;
  /** Go: the only file of the release that is read. */
  readonly only?: 'go.mod';
}

/** What a lock file lists and no repository decides about. */
export interface Skipped {
  readonly what: string;
  /** After "is": `a folder of this project`. */
  readonly reason: string;
  readonly line?: number;
}

export interface Pins {
  /** In the order of the file; each release once. */
  readonly pins: readonly Pin[];
  readonly skipped: readonly Skipped[];
}

export interface Found {
  readonly name: string;
  readonly namespace?: string | undefined;
  readonly version: string;
  readonly line?: number | undefined;
  readonly digest?: string | undefined;
  readonly direct?: boolean | undefined;
  readonly only?: 'go.mod' | undefined;
  /** Address of the registry it comes from, where the file says. */
  readonly registry?: string | undefined;
}

export class PinList {
  readonly #source: LockText;
  readonly #type: string;
  readonly #registries: Registries;
  readonly #found: Found[] = [];
  readonly #skipped: Skipped[] = [];

  /** `type` is the purls'; `registries` as `ReadOptions.registries`. */
  constructor(source: LockText, type: string, registries: readonly string[] = []) {
    this.#source = source;
    this.#type = type;
    this.#registries = new Registries(type, registries);
  }

  add(found: Found): void {
    this.#found.push(found);
  }

  skip(what: string, reason: string, line?: number): void {
    this.#skipped.push({ what, reason, ...(line === undefined ? {} : { line }) });
  }

  done(): Pins {
    this.#registries.weigh(this.#found.map(({ registry }) => registry));
    const pins = new Map<string, Pin>();
    for (const found of this.#found) {
      if (found.registry === undefined || this.#registries.has(found.registry)) this.#pin(pins, found);
      else this.skip(`${nameOf(found)}@${found.version}`, `from another registry, ${found.registry}`, found.line);
    }
    return { pins: [...pins.values()], skipped: this.#skipped };
  }

  #pin(pins: Map<string, Pin>, found: Found): void {
    const { line, direct, digest, only } = found;
    const purl = this.#purl(found);
    const known = pins.get(purl);
    if (known === undefined)
      pins.set(purl, {
        purl,
        ...(line === undefined ? {} : { line }),
        ...(digest === undefined ? {} : { digest }),
        ...(direct === undefined ? {} : { direct }),
        ...(only === undefined ? {} : { only }),
      });
    else pins.set(purl, joined(known, found));
  }

  #purl(found: Found): string {
    const { namespace, name, version, line } = found;
    try {
      return new PackageURL(this.#type, namespace, name, version, undefined, undefined).toString();
    } catch (error) {
      const shown = `${nameOf(found)}@${version}`.slice(0, 200);
      throw this.#source.wrong(`${JSON.stringify(shown)} is no package: ${(error as Error).message}`, line, error);
    }
  }
}

/** The same release, listed again. */
function joined(known: Pin, { direct, digest, only }: Found): Pin {
  const { only: knownOnly, ...rest } = known;
  return {
    ...rest,
    ...(rest.digest === undefined && digest !== undefined ? { digest } : {}),
    ...(direct === undefined ? {} : { direct: direct || rest.direct === true }),
    ...(knownOnly === undefined || only === undefined ? {} : { only: knownOnly }),
  };
}

const nameOf = ({ namespace, name }: Found): string => (namespace === undefined ? name : `${namespace}/${name}`);
