import { move, transferableSymbol, valueSymbol } from 'piscina';
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
} from '../engine/answer/render.ts';
import type { AnyFormat } from '../engine/format.ts';
import { buffersOf } from '../engine/listed-files.ts';
import { formats } from '../formats/all.ts';

const known = new Map(formats.map((format) => [format.id, format]));

/** What it says of its files is moved to the serving thread, not copied. */
export function studyInWorker(job: StudyJob): Studied {
  const studied = study(formatOf(job.format), job);
  return studied.kind === 'studied' ? moving(studied, buffersOf(studied.files)) : studied;
}

export function verdictsInWorker(job: RenderJob): Verdicts {
  return verdicts(formatOf(job.format), job);
}

export function chooseInWorker(job: ChooseJob): Chosen {
  return choose(formatOf(job.format), job);
}

/** The bytes are moved, not copied, to the serving thread. */
export function renderInWorker(job: RenderJob): Rendered {
  const rendered = render(formatOf(job.format), job);
  if (rendered.kind !== 'rendered') return rendered;
  const bytes = new Uint8Array(rendered.bytes);
  return moving({ ...rendered, bytes }, [bytes.buffer]);
}

function moving<Result extends object>(result: Result, buffers: readonly ArrayBuffer[]): Result {
  const moved = { [transferableSymbol]: buffers, [valueSymbol]: result };
  return move(moved as unknown as Parameters<typeof move>[0]) as unknown as Result;
}

function formatOf(id: string): AnyFormat {
  const format = known.get(id);
  if (!format) throw new Error(`no format "${id}"`);
  return format;
}
