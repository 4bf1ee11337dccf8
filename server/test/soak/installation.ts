/** What is soaked: one server or several, and what they keep things in. */
export interface Installation {
  readonly servers: readonly Server[];
  readonly token: string;
  readonly blobs: BlobsBehind;
  /** By the part of the servers that needs it; empty: everything is in the data folder. */
  readonly services: ReadonlyMap<'database' | 'store' | 'coordination', Service>;
  /** Each server's data folder is a disk of its own, which can be made full. */
  readonly hasDisks: boolean;
  /** What the build that is soaked can do beside serving. */
  readonly can: ReadonlySet<'limits' | 'verify' | 'backup'>;
  stop(): Promise<void>;
}

export interface Server {
  readonly url: string;
  /** Undefined while it does not run. */
  readonly pid: number | undefined;
  readonly data: string;
  /** Resolves when the process is gone. */
  end(signal: NodeJS.Signals): Promise<void>;
  /** Starts it again at the same address; resolves when it is ready. */
  start(): Promise<void>;
}

/** The blobs behind the servers' backs, by SHA-256 in hex. */
export interface BlobsBehind {
  list(): AsyncIterable<{ readonly sha256: string; readonly size: number }>;
  read(sha256: string): Promise<Buffer | undefined>;
  write(sha256: string, bytes: Buffer): Promise<void>;
  remove(sha256: string): Promise<void>;
  /** One that nobody knows of, as if it had been there for days; false where its age cannot be made up. */
  plant(sha256: string, bytes: Buffer): Promise<boolean>;
}

/** What servers keep things in, and how it can be made bad for a while. */
export interface Service {
  /** PostgreSQL, S3, Redis. */
  readonly name: string;
  /** How the servers' health calls it. */
  readonly part: string;
  /** Ways to be bad; each resolves to what makes it good again. */
  readonly ways: Readonly<Record<string, Way>>;
}

export interface Way {
  /** Whether the servers' health has to name the part. */
  readonly shows: boolean;
  begin(): Promise<() => Promise<void>>;
}
