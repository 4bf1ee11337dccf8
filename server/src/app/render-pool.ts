import { Piscina } from 'piscina';
import type {
  ChooseJob,
  Chosen,
  JobDocument,
  Rendered,
  RenderJob,
  Studied,
  StudyJob,
  Verdicts,
} from '../engine/answer/render.ts';
import type { RenderPool } from '../engine/answer/renderer.ts';
import { workerUrl } from './worker-url.ts';

/** Workers for documents too big for the serving thread; each may use this much memory before it is given up, in MiB. */
const WORKER_MEMORY = 1536;

export function createRenderPool(threads: number): RenderPool & { close(): Promise<void> } {
  const pool = new Piscina({
    filename: workerUrl('./render-worker.js', import.meta.url).href,
    minThreads: 0,
    maxThreads: threads,
    idleTimeout: 30_000,
    resourceLimits: { maxOldGenerationSizeMb: WORKER_MEMORY },
  });
  return {
    study: (job: StudyJob): Promise<Studied> =>
      pool.run(job, { name: 'studyInWorker', transferList: moved(job.documents) }),
    render: (job: RenderJob): Promise<Rendered> =>
      pool.run(job, { name: 'renderInWorker', transferList: moved(job.members.flatMap(({ documents }) => documents)) }),
    verdicts: (job: RenderJob): Promise<Verdicts> =>
      pool.run(job, {
        name: 'verdictsInWorker',
        transferList: moved(job.members.flatMap(({ documents }) => documents)),
      }),
    choose: (job: ChooseJob): Promise<Chosen> =>
      pool.run(job, { name: 'chooseInWorker', transferList: moved(job.documents) }),
    close: () => pool.destroy(),
  };
}

/** Big documents are moved to the worker, not copied: who sends them needs them no more. Small ones may share their memory. */
function moved(documents: readonly JobDocument[]): ArrayBuffer[] {
  return documents.flatMap(({ bytes: { buffer } }) =>
    buffer instanceof ArrayBuffer && buffer.byteLength > Buffer.poolSize ? [buffer] : [],
  );
}
