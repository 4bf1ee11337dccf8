import { Piscina } from 'piscina';
import type { Rendered, RenderJob, Studied, StudyJob } from '../engine/render.ts';
import type { RenderPool } from '../engine/renderer.ts';
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
    study: (job: StudyJob): Promise<Studied> => pool.run(job, { name: 'studyInWorker' }),
    render: (job: RenderJob): Promise<Rendered> => pool.run(job, { name: 'renderInWorker' }),
    close: () => pool.destroy(),
  };
}
