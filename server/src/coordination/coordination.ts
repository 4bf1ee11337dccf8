export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** What the processes of one installation say to each other. No function rejects: who cannot reach the others acts alone. */
export interface Coordination {
  /** Whether other processes can take part at all. */
  readonly shared: boolean;
  /** `alone`: the others cannot be reached at the moment. */
  readonly state: 'ok' | 'alone';
  /**
   * The right to do something that one process does at a time; undefined: somebody has it. It is kept until it is released;
   * of a holder that died it ends after `ttlMs`.
   */
  lease(name: string, ttlMs: number): Promise<Lease | undefined>;
  /** When nobody has the lease of that name, or `signal` aborts. Who waits together finds one of them faster. */
  released(name: string, signal: AbortSignal): Promise<void>;
  /** Tells the other processes, each at most once; this one is not told. */
  publish(topic: string, message: Json): Promise<void>;
  /** Gives the function that ends it. */
  subscribe(topic: string, handler: (message: Json) => void): () => void;
  /** Called when messages may have been missed. Gives the function that ends it. */
  onGap(handler: () => void): () => void;
  /** For `ttlMs`, for all; alone, for this process. */
  put(key: string, value: Json, ttlMs: number): Promise<void>;
  get(key: string): Promise<Json | undefined>;
  /** Why this process acts alone at the moment; undefined: it does not, or nobody else takes part. */
  alone(): Promise<string | undefined>;
  /** Leases that are still held end. */
  close(): Promise<void>;
}

export interface Lease {
  /** Greater than that of every lease before it, whatever its name. At most 2^53. */
  readonly fence: number;
  /** Aborts when it could not be renewed in time: somebody else may have it. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}
