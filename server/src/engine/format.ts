import type { VersionOrder } from '../policy/versions.ts';
import type { FaultCode } from './fault.ts';

export type { VersionOrder };

/**
 * What one ecosystem's protocol is, as pure functions: URL → target, document bytes → releases → document bytes.
 * A format never fetches, stores, authorises, logs or reads the clock; a source does.
 *
 * Paths are canonical: percent-decoded once, no leading slash, no empty, `.` or `..` segment, no NUL or backslash
 * (`engine/path.ts` refuses the rest before `parse` is called); a trailing slash is kept.
 */
export interface Format<Doc> {
  readonly id: string;
  readonly traits: Traits;

  /** What a request asks for; undefined: nothing this protocol knows. Throws `Malformed` for a request that is wrong. */
  parse(request: ProtocolRequest, site: Site): Target | undefined;
  /** A document of the upstream that says where things are, when the protocol has one. */
  discovery?(target: Target): IndexTarget | undefined;
  /**
   * Where the upstream keeps it, the first that exists. Default: the same path below the remote's `url`. A call is asked
   * about only where `discovery` names a document for it.
   */
  locate?(target: IndexTarget | ArtifactTarget | CallTarget, site: Site): readonly Place[];
  /** The indexes of which any one existing means that the repository has the package: decides who owns a name. */
  roster(name: string, near?: Target): readonly IndexTarget[];
  /** The indexes that describe it, usually its roster. Empty: none by design (content-addressed or plain files). */
  factsOf(target: ArtifactTarget | IndexTarget): readonly IndexTarget[];
  readonly index: IndexCodec<Doc>;
  /** How its versions are ordered; absent: they are not, and rules name each. */
  readonly versions?: VersionOrder;
  /** How the digest of a file that no index announces can be had: from a file beside it. */
  readonly checksum?: Checksum;
  /** What says which contents a zip file has, where nothing announces a digest of its bytes. */
  readonly sums?: Sums;
  /** Headers of this protocol, sent with every answer, faults included. `digest`: of the bytes, where it is known. */
  headers?(target: Target | undefined, digest: string | undefined): Readonly<Record<string, string>>;
  /** What the package URL of a package says; default: the name's folders are its namespace. */
  purl?(
    name: string,
    options: Readonly<Record<string, unknown>>,
  ): { readonly namespace?: string; readonly name: string };
  /**
   * Names that a request says besides its own: of a search, of a list of what a project uses, of a record in a database; of
   * a document that is about a group of packages, the group with the separator that follows it. Throws `Malformed`.
   */
  mentions?(target: Target): readonly string[];
  /** The call without what it says of these; undefined: it cannot be made without. */
  without?(call: CallTarget, isLeftOut: (name: string) => boolean): CallTarget | undefined;
  /** The names under which clients know the upstream at `url`, when they ask a mirror for it: `docker.io`. */
  namespaces?(url: string, options: Readonly<Record<string, unknown>>): readonly string[];
  /** The status line's body as this protocol's client shows it to a person. */
  fault(code: FaultCode, message: string, target: Target | undefined): Body;
  /** Absent: the format cannot be published to. */
  readonly hosting?: Hosting<Doc>;
}

export interface Checksum {
  /** The file that has the digest; undefined: there is none that could be relied on. */
  of(target: ArtifactTarget): { readonly target: ArtifactTarget; readonly algorithm: Algorithm } | undefined;
  /** Undefined when the text has none of that algorithm. */
  read(text: string, algorithm: Algorithm): Digest | undefined;
}

/**
 * Databases of what is in zip files, however those are packed. Which databases there are is learned from what clients ask for.
 * A file's record is looked up before the file is kept; a file without one is kept as it is.
 */
export interface Sums {
  /** What the paths of all that such databases say begin with. */
  readonly prefix: string;
  /** The folder of the database that says what is at `path`; undefined: none does. */
  database(path: string): string | undefined;
  /** The database's record of a file; undefined: such files have none. */
  record(target: ArtifactTarget, database: string): IndexTarget | undefined;
  /** Path of the file that a document is the record of. */
  recorded(record: IndexTarget): string | undefined;
  /** The sum of the release's file; undefined: the record has none that could be compared. */
  read(record: Uint8Array, release: Pick<Release, 'name' | 'version'>): string | undefined;
  /** The sum of what is in a file. Throws `Malformed`. */
  of(files: readonly ZippedFile[]): string;
}

export interface ZippedFile {
  /** Its bytes, one a letter (Latin-1); of a folder it ends in `/`. */
  readonly name: string;
  /** Of its contents, in lower-case hex. */
  readonly sha256: string;
}

export interface IndexCodec<Doc> {
  /** Several shapes of one index (HTML, JSON, compressed) into one Doc. Throws `Malformed`. */
  decode(raw: RawDocument, target: IndexTarget): Doc;
  /** Further documents that complete this one, until nothing new is named (pages; PyPI's dates); combined with `merge`. */
  more?(doc: Doc, target: IndexTarget): readonly IndexTarget[];
  /** Documents of one generation (Release → Packages, repomd → primary): a root is published only with its parts. */
  parts?(doc: Doc): readonly Part[];
  /** Every release with its files. */
  releases(doc: Doc): Iterable<Release>;
  /** The document without the files the judge withholds; also repairs what points at a dropped release. */
  keep(doc: Doc, judge: Judge): Doc;
  /** A list of packages, without some of them; any other document as it is. */
  unlisted?(doc: Doc, isLeftOut: (name: string) => boolean): Doc;
  /** What an alias means now: an OCI tag, `latest`, a file of Debian's current generation. Undefined: the document does not say. */
  choose?(doc: Doc, select: string, judge: Judge): ArtifactTarget | IndexTarget | undefined;
  /** What an alias that means `target` now meant when it meant that version. */
  earlier?(target: ArtifactTarget, version: string): ArtifactTarget;
  /** One document of several; earlier ones win. */
  merge(docs: readonly Doc[]): Doc;
  /** The view of the document that the target asks for; undefined when the document has no such view (an unknown version). */
  encode(doc: Doc, target: IndexTarget, site: EncodeSite): Body | undefined;
}

/** Says why a file is withheld, or undefined when it may be seen. Takes a file's path, or its digest where it has no path. */
export type Judge = (file: string) => Withheld | undefined;

export interface Withheld {
  readonly rule: string;
  readonly reason: string;
  /** Epoch milliseconds at which the decision may change by itself. */
  readonly until?: number;
}

export interface ProtocolRequest {
  readonly method: string;
  /** Canonical path below the repository, as described at `Format`. */
  readonly path: string;
  /** The query without `?`, as sent; empty when there is none. */
  readonly query: string;
  readonly accept: string | undefined;
  /** Only where `traits.bodies` lists the path; content encodings already undone. */
  readonly body?: Uint8Array;
}

export interface Site {
  /** Public URL of the repository, no trailing slash: `http://127.0.0.1:8080/npm`. */
  readonly base: string;
  /** The remote's options of this format, defaults filled in. */
  readonly options: Readonly<Record<string, unknown>>;
  /** While something is located: the remote's `url`. */
  readonly upstream?: string;
  /** The bytes of the discovery document, where the format has one. */
  readonly discovery?: RawDocument;
  /** While an artifact is located: its digest, where an index announces one. */
  readonly digest?: Digest;
}

export interface EncodeSite extends Site {
  /** Our own digest of a part we rendered, in lower-case hex. */
  rendered(target: IndexTarget, algorithm: Algorithm): string | undefined;
}

export interface Traits {
  /** As in prose: "npm", "PyPI". */
  readonly title: string;
  /** Type of the package URLs of this ecosystem. */
  readonly purl: string;
  /** Name of the virtual repository made at first start. */
  readonly mount: string;
  /** What a repository of it can be; default: remote and virtual. Hosted: it can be published to. */
  readonly kinds?: readonly RepositoryKind[];
  /** The path below the server's root where clients look for every repository of this protocol: `v2`. */
  readonly root?: string;
  /** Clients and upstreams settle who asks by a token that a 401 says where to get (Docker Registry token authentication). */
  readonly tokens?: boolean;
  /**
   * The public registry: a sample package whose download URL, as the PURL library builds it, has the registry's origin,
   * followed by the registry's own folder where `file` says what comes after it; or an address, for ecosystems whose host
   * may be written down. Absent: `url` is required.
   */
  readonly upstream?:
    | { readonly sample: string; readonly subdomain?: string; readonly file?: string }
    | { readonly url: string };
  /** The best evidence of when a release became public that the protocol offers. */
  readonly evidence: 'index' | 'details' | 'last_modified' | 'author' | 'none';
  /** Whether clients verify a signature over the index itself, so that it must pass byte for byte. */
  readonly signedIndexes: boolean;
  /** Requests that carry a body: a prefix of their path and the most bytes taken, after decompression. */
  readonly bodies?: readonly { readonly prefix: string; readonly limit: number }[];
  /** Some of its clients do not follow a redirect to another host, so that every file is sent from here. */
  readonly redirects?: false;
  /** What people must know, for the generated docs: one sentence each. */
  readonly notes: readonly string[];
}

export type RepositoryKind = 'remote' | 'hosted' | 'virtual';

export type Target = ArtifactTarget | IndexTarget | DerivedTarget | AliasTarget | CallTarget;

/** One immutable file, or a file that changes where `mutable` says so. */
export interface ArtifactTarget {
  readonly kind: 'artifact';
  readonly path: string;
  /** The package and version it belongs to, where the path says so. */
  readonly name?: string;
  readonly version?: string;
  readonly role: Role;
  /** True: kept and revalidated like an index, by `index_ttl`. */
  readonly mutable?: boolean;
  /** Name and version stand in the path, and no index is an authority on whether it exists: the upstream is. */
  readonly unlisted?: boolean;
  /** It is named by its own bytes. */
  readonly digest?: Digest;
  /** Where the upstream has it, absolute, when a document named it by address; default: what `locate` says. */
  readonly url?: string;
  /** The moving name it was asked for by: what `ban_tags` looks at. */
  readonly tag?: string;
  /**
   * Releases name it by its bytes: it may be had where one of them may, and where it is none itself, only there. What the
   * paths of these releases begin with.
   */
  readonly part?: string;
  /** Set by the engine: the path of the alias that led to it. */
  readonly alias?: string;
  /** Its path does not say which index lists it: any that the repository holds may. */
  readonly listedAnywhere?: boolean;
  /** Content type to answer with; default: the upstream's. */
  readonly type?: string;
}

/** What a file is to a build: only `package` is a component of it. */
export type Role = 'package' | 'metadata' | 'signature';

/** A document that changes as releases appear. `path` names the upstream document, `view` one rendition of it. */
export interface IndexTarget {
  readonly kind: 'index';
  readonly path: string;
  readonly name?: string;
  readonly scope: 'package' | 'repository';
  /** Which part or shape of the document is asked for: `full`, `abbreviated`, `html`, `version:1.0.0`. */
  readonly view: string;
  /** Where the upstream has it, absolute, when a document named it by address; default: what `locate` says. */
  readonly url?: string;
  /** Known digest of the document: it is verified, and never asked for again. */
  readonly digest?: Digest;
  /** Passes byte for byte: decoded for facts and parts, never filtered, merged or encoded. */
  readonly opaque?: boolean;
  /** The document is itself a file that clients pull, under the same path. */
  readonly file?: ArtifactTarget;
  /** Stands for the document where the upstream has none: its absence means "nothing", not "no such thing". */
  readonly empty?: { readonly bytes: string; readonly type: string };
  /** Named by `more`: its absence, or an outage, does not fail the whole. */
  readonly optional?: boolean;
  /** Describes some of a package's releases: no listing of it, by which new ones would be told from old. */
  readonly partial?: boolean;
  /** What it says of releases that no document dates, which is put on record when it is first had. */
  readonly sights?: Sighting;
  /** May exist where no roster of its package does; then the first member that has it owns it. */
  readonly unlisted?: boolean;
}

/** How a document tells of releases that nothing but the first sight of them dates. */
export interface Sighting {
  /** The list of the package's moving names: read once, when the package is first asked for. */
  readonly first: IndexTarget;
  /** Version of the release that the document is: it names the others in it, and all of its files, by their bytes. */
  readonly carrier?: string;
  /** Version of the release that those in it refer to. */
  readonly beside?: string;
}

/** A checksum or signature of what we rendered: it must match our bytes, not the upstream's. */
export interface DerivedTarget {
  readonly kind: 'derived';
  readonly path: string;
  readonly of: IndexTarget;
  readonly as: Algorithm | 'signature';
}

/** A name for something that `choose` resolves: a tag, `latest`, a branch, a file of the current generation. */
export interface AliasTarget {
  readonly kind: 'alias';
  readonly path: string;
  /** The indexes that can say what it means: the first that exists and knows it does. */
  readonly of: readonly IndexTarget[];
  readonly select: string;
  /** What it is where none of them exists, or knows it. */
  readonly otherwise?: ArtifactTarget;
}

/** Anything else: search, ping, audit, a redirect. Answered by the format itself, or by the upstream at `place`. */
export interface CallTarget {
  readonly kind: 'call';
  readonly path: string;
  readonly answer?: Body;
  readonly place?: Place;
}

export interface Place {
  /** Scheme and host when not the remote's; credentials are not sent there. */
  readonly origin?: string;
  /** Path and query, percent-encoded, below the origin's or the remote's `url`. Default: the root. */
  readonly path?: string;
  readonly method?: 'GET' | 'POST' | 'HEAD';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /**
   * With HEAD: the headers that are the document, one `name: value` line each in this order, of type `HEADER_LINES`. An
   * answer that lacks one of them says nothing, and the next place is asked.
   */
  readonly take?: readonly string[];
  /** What a token is asked for, where the upstream wants one: `repository:library/alpine:pull`. */
  readonly scope?: string;
  /** Milliseconds; default: the remote's `index_ttl`. */
  readonly ttl?: number;
}

export interface RawDocument {
  readonly bytes: Uint8Array;
  /** The upstream's Content-Type. */
  readonly type: string;
  /** Where it came from, after redirects: relative links resolve against it. */
  readonly url: string;
  /** The upstream's Last-Modified, as sent. */
  readonly lastModified?: string;
  /** The upstream's Link header (RFC 8288), as sent. */
  readonly link?: string;
}

/** Type of a document that is an answer's headers. */
export const HEADER_LINES = 'text/x-header-lines';

export interface Body {
  readonly bytes: string | Uint8Array;
  readonly type: string;
  /** Default 200; a fault's body carries the code's status. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Release {
  readonly name: string;
  readonly version: string;
  readonly files: readonly ReleaseFile[];
  /** Ask there for what the index does not say. */
  readonly details?: IndexTarget;
  readonly yanked?: boolean;
  /** The release is a name that moves: what `ban_tags` looks at. */
  readonly tag?: string;
  /** The document does not say what the name means; `version` is the name. */
  readonly unresolved?: true;
}

export interface ReleaseFile {
  /** Where we serve it, canonical; one that ends in `/` covers all below it. */
  readonly path: string;
  /** Where the upstream has it, absolute; default: what `locate` says. */
  readonly url?: string;
  readonly digest?: Digest;
  /** Of the same bytes, of another kind: to compare with what others announce. */
  readonly alsoDigest?: Digest;
  /** Bytes. */
  readonly size?: number;
  readonly role?: Role;
  readonly published?: Published;
  readonly yanked?: boolean;
  /** Why it is never served: what it consists of would be fetched past this registry. */
  readonly refused?: string;
}

/** Epoch milliseconds, and who set the time: an author's can be backdated. */
export interface Published {
  readonly at: number;
  readonly by: 'server' | 'author';
}

/** One document or file of a root's generation. */
export interface Part {
  /** Under which name clients ask for it in every generation: the path of an alias. */
  readonly path: string;
  /** With its digest: under a path of its own in each generation. Without: taken anew whenever the root changes. */
  readonly target: IndexTarget | ArtifactTarget;
  /** `now`: fetched before the root is published. `asked`: fetched before that too, once some client has asked for it. */
  readonly when: 'now' | 'asked';
}

export type Algorithm = 'md5' | 'sha1' | 'sha256' | 'sha384' | 'sha512';
/** `sha256:` and lower-case hex. */
export type Digest = `${Algorithm}:${string}`;

/** What publishing to a format means. */
export interface Hosting<Doc> {
  /** What a request publishes, changes or removes; undefined: nothing. Decided before its body is read. Throws `Malformed`. */
  receive(request: ProtocolRequest): Publication | undefined;
  /**
   * The index of what was published; absent: the format has none. What was removed goes on owning its names: an index of
   * nothing is an index.
   */
  compose?(held: HostedIndex, target: IndexTarget): Doc;
}

export type Publication = FilePublication | FileRemoval | ChangePublication;

/** A request's body becomes this file, byte for byte. */
export interface FilePublication {
  readonly kind: 'file';
  readonly file: ArtifactTarget;
  /** Other bytes take the place of those that are there; else they are refused. */
  readonly replaces?: boolean;
}

/** This file is no longer there. */
export interface FileRemoval {
  readonly kind: 'removal';
  readonly file: ArtifactTarget;
  /** Whether its name may mean other bytes from now on. */
  readonly frees: boolean;
}

/** A request's body says what changes in a package. */
export interface ChangePublication {
  readonly kind: 'change';
  readonly body: BodyShape;
  /** Which package it is, in its one spelling. Throws `Malformed`. */
  package(sent: Sent): string;
  /** Pure, and asked again when somebody else changed the package meanwhile. Throws `Malformed`, `Refused`. */
  change(sent: Sent, before: HostedPackage | undefined): Change;
}

export type BodyShape =
  | { readonly shape: 'none' }
  | {
      readonly shape: 'json';
      /** Bytes of what is not files. */
      readonly limit: number;
      /** Whether the text at these keys is a file in base64: it is streamed, and stands as an empty text in `Sent.json`. */
      isFile?(keys: readonly string[]): boolean;
      readonly hashes?: readonly Algorithm[];
    }
  | {
      /** `multipart/form-data`: every part that has a file name is a file. */
      readonly shape: 'form';
      readonly limit: number;
      readonly hashes?: readonly Algorithm[];
      /** Which entry of a file that is a zip is to be read, up to a mebibyte. */
      entryOf?(file: string): RegExp | undefined;
    };

/** What a body said. */
export interface Sent {
  /** The document, without its files. */
  readonly json?: unknown;
  /** The form's fields, in order. */
  readonly fields: ReadonlyMap<string, readonly string[]>;
  readonly files: readonly SentFile[];
}

export interface SentFile {
  /** The key before the last of a document's, or the name of a form's field. */
  readonly part: string;
  /** As a form calls it; else the same as `part`. */
  readonly fileName: string;
  readonly size: number;
  /** Lower-case hex by algorithm; `sha256` always. */
  readonly hashes: Readonly<Record<string, string>>;
  /** The entry that was asked for, where the file has one. */
  readonly entry?: Uint8Array;
}

/** What becomes of a package, all of it at once. */
export interface Change {
  readonly files?: readonly NewFile[];
  /** What is said of files that are there already, by path. */
  readonly metadata?: ReadonlyMap<string, unknown>;
  /** Paths; none of these names ever means other bytes. */
  readonly removed?: readonly string[];
  /** What is said of the package itself; absent: as before. */
  readonly document?: unknown;
  readonly answer: Body;
}

export interface NewFile {
  /** Its name is the package's. */
  readonly target: ArtifactTarget;
  readonly from: SentFile | { readonly bytes: Uint8Array };
  /** JSON: what the index says of it besides digest, size and time. */
  readonly metadata?: unknown;
}

/** What an index of a hosted repository is made of. */
export type HostedIndex =
  | { readonly scope: 'package'; readonly package: HostedPackage }
  /** Of the packages that have files. */
  | { readonly scope: 'repository'; readonly names: readonly string[] };

export interface HostedPackage {
  readonly name: string;
  /** Grows with every change. */
  readonly revision: number;
  /** JSON, as the format left it. */
  readonly document?: unknown;
  /** Those that were removed too, in the order in which they were published. */
  readonly files: readonly HostedFile[];
}

export interface HostedFile {
  readonly path: string;
  readonly role: Role;
  readonly version?: string;
  /** SHA-256. */
  readonly digest: Digest;
  readonly size: number;
  /** Epoch milliseconds, by our clock. */
  readonly publishedAt: number;
  readonly removedAt?: number;
  readonly metadata?: unknown;
}

/** What a request would do cannot be done; `message` is a sentence without its full stop. */
export class Refused extends Error {
  override readonly name = 'Refused';

  readonly code: 'conflict' | 'not_found';

  constructor(code: 'conflict' | 'not_found', message: string) {
    super(message);
    this.code = code;
  }
}

/** The upstream's document is not what the protocol says it must be; or a request is not. */
export class Malformed extends Error {
  override readonly name = 'Malformed';
}

/** A format whose document type no longer matters: the engine passes a Doc only back to the format that made it. */
// biome-ignore lint/suspicious/noExplicitAny: the one alias for heterogeneous formats
export type AnyFormat = Format<any>;
