import { createHash } from 'node:crypto';
import { Agent, type ClientRequest, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';

/** Milliseconds: whoever has no answer by then has none. */
export const PATIENCE = 60_000;

export interface Question {
  readonly method?: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** Default: only its digest is. */
  readonly kept?: true;
  /** The client goes away once it has so many bytes of the body. */
  readonly leaveAfter?: number;
}

/** What a client has in the end. */
export interface Heard {
  readonly method: string;
  readonly url: string;
  /** 0: no answer. */
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** The body came to its end as announced. */
  readonly complete: boolean;
  /** The client itself went away. */
  readonly left: boolean;
  readonly size: number;
  /** Of what came of the body, hex. */
  readonly sha256: string;
  /** Where it was to be kept. */
  readonly body: Buffer;
  /** Epoch milliseconds. */
  readonly began: number;
  readonly ended: number;
  readonly trouble?: string;
}

const agent = new Agent({ keepAlive: true, maxSockets: 256 });

/** Never throws: what went wrong is part of what was heard. */
export async function ask(question: Question): Promise<Heard> {
  const began = Date.now();
  for (;;) {
    const { heard, again } = await once(question, began);
    if (!again) return heard;
  }
}

/** Where a server closes an idle connection while a request is on its way, nobody has seen the request: it is asked again. */
function once(question: Question, began: number): Promise<{ readonly heard: Heard; readonly again: boolean }> {
  return new Promise((resolve) => {
    const { method = 'GET', url, headers = {}, body } = question;
    const reuse = method === 'GET' || method === 'HEAD';
    const sent = request(url, { method, headers: { ...headers, ...lengthOf(body) }, agent: reuse ? agent : false });
    const received = new Received(question, began, sent);
    const end = (trouble?: string) => {
      clearTimeout(late);
      const heard = received.heard(trouble);
      const again = trouble !== undefined && heard.status === 0 && sent.reusedSocket && !received.isLate;
      resolve({ heard, again: again && Date.now() - began < PATIENCE });
    };
    const late = setTimeout(() => received.giveUp(), PATIENCE);
    sent.on('error', (error) => end(error.message));
    sent.once('response', (response) => {
      received.begin(response);
      response.on('data', (chunk: Buffer) => received.take(chunk));
      response.once('end', () => end()).on('error', (error) => end(error.message));
      response.once('close', () => end());
    });
    sent.end(body);
  });
}

function lengthOf(body: Question['body']): Record<string, string> {
  return body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
}

class Received {
  readonly #question: Question;
  readonly #began: number;
  readonly #sent: ClientRequest;
  readonly #hash = createHash('sha256');
  readonly #kept: Buffer[] = [];
  #response: IncomingMessage | undefined;
  #size = 0;
  #left = false;
  #heard: Heard | undefined;
  isLate = false;

  constructor(question: Question, began: number, sent: ClientRequest) {
    this.#question = question;
    this.#began = began;
    this.#sent = sent;
  }

  begin(response: IncomingMessage): void {
    this.#response = response;
    if (this.#question.leaveAfter === 0) this.#leave();
  }

  take(chunk: Buffer): void {
    this.#size += chunk.length;
    this.#hash.update(chunk);
    if (this.#question.kept) this.#kept.push(chunk);
    const { leaveAfter } = this.#question;
    if (leaveAfter !== undefined && this.#size >= leaveAfter && !this.#response?.complete) this.#leave();
  }

  giveUp(): void {
    this.isLate = true;
    this.#sent.destroy(new Error(`no end after ${PATIENCE} ms`));
  }

  heard(trouble: string | undefined): Heard {
    this.#heard ??= {
      method: this.#question.method ?? 'GET',
      url: this.#question.url,
      status: this.#response?.statusCode ?? 0,
      headers: this.#response?.headers ?? {},
      complete: this.#response?.complete === true && !this.#left,
      left: this.#left,
      size: this.#size,
      sha256: this.#hash.digest('hex'),
      body: Buffer.concat(this.#kept),
      began: this.#began,
      ended: Date.now(),
      ...(trouble === undefined ? {} : { trouble }),
    };
    return this.#heard;
  }

  #leave(): void {
    this.#left = true;
    this.#sent.destroy();
  }
}
