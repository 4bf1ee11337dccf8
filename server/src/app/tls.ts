import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { Log } from '../engine/log.ts';

export interface KeyPair {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** Certificate and key from their files, read again when they change. */
export class Tls {
  readonly #files: { readonly cert: string; readonly key: string };
  readonly #log: Log;
  #current: KeyPair;

  /** Throws a sentence naming the files when they are not a certificate and its key. */
  constructor(files: { readonly cert: string; readonly key: string }, log: Log) {
    this.#files = files;
    this.#log = log;
    this.#current = this.#read();
  }

  current(): KeyPair {
    return this.#current;
  }

  /** A pair that does not fit (one of two files was replaced so far) is not taken. */
  onChange(use: (pair: KeyPair) => void): void {
    const reload = (): void => {
      try {
        const pair = this.#read();
        if (pair.cert.equals(this.#current.cert) && pair.key.equals(this.#current.key)) return;
        this.#current = pair;
        use(pair);
        this.#log.info(`the certificate was read again from ${this.#files.cert}`);
      } catch (error) {
        this.#log.warn(`the certificate before stays in use: ${(error as Error).message}`);
      }
    };
    for (const path of Object.values(this.#files)) watchFile(path, { interval: 2000, persistent: false }, reload);
  }

  close(): void {
    for (const path of Object.values(this.#files)) unwatchFile(path);
  }

  #read(): KeyPair {
    const { cert, key } = this.#files;
    try {
      const pair = { cert: readFileSync(cert), key: readFileSync(key) };
      createSecureContext(pair);
      return pair;
    } catch (cause) {
      throw new Error(
        `${cert} and ${key} are not a certificate and its private key, PEM (${(cause as Error).message})`,
        { cause },
      );
    }
  }
}
