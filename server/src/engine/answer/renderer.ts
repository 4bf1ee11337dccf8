import { Fault } from '../fault.ts';
import type { AnyFormat } from '../format.ts';
import {
  type ChooseJob,
  type Chosen,
  choose,
  type Rendered,
  type RenderJob,
  render,
  type Studied,
  type StudyJob,
  study,
  type Verdicts,
  verdicts,
} from './render.ts';

/** Where big documents are worked on, away from the thread that serves. */
export interface RenderPool {
  study(job: StudyJob): Promise<Studied>;
  render(job: RenderJob): Promise<Rendered>;
  choose(job: ChooseJob): Promise<Chosen>;
  verdicts(job: RenderJob): Promise<Verdicts>;
}

/** Up to this many bytes a document is worked on where it is: handing it over would cost more. */
const SMALL = 256 * 1024;

export class Renderer {
  constructor(
    readonly formats: ReadonlyMap<string, AnyFormat>,
    readonly pool: () => Promise<RenderPool>,
    readonly small = SMALL,
  ) {}

  async study(job: StudyJob): Promise<Studied> {
    if (weight(job.documents) <= this.small) return study(this.format(job.format), job);
    return inPool(async () => (await this.pool()).study(job));
  }

  async render(job: RenderJob): Promise<Rendered> {
    if (weight(job.members.flatMap(({ documents }) => documents)) <= this.small)
      return render(this.format(job.format), job);
    return inPool(async () => (await this.pool()).render(job));
  }

  async choose(job: ChooseJob): Promise<Chosen> {
    if (weight(job.documents) <= this.small) return choose(this.format(job.format), job);
    return inPool(async () => (await this.pool()).choose(job));
  }

  async verdicts(job: RenderJob): Promise<Verdicts> {
    if (weight(job.members.flatMap(({ documents }) => documents)) <= this.small)
      return verdicts(this.format(job.format), job);
    return inPool(async () => (await this.pool()).verdicts(job));
  }

  format(id: string): AnyFormat {
    const format = this.formats.get(id);
    if (!format) throw new Error(`no format "${id}"`);
    return format;
  }
}

function weight(documents: readonly { readonly bytes: Uint8Array }[]): number {
  return documents.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
}

/** A document that takes more memory than a worker has ends the worker, not the server. */
async function inPool<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY') {
      throw new Fault('too_large', 'The upstream index needs more memory than one document may take.', {
        cause: error,
      });
    }
    throw error;
  }
}
