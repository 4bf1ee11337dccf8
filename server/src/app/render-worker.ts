import { move, transferableSymbol, valueSymbol } from 'piscina';
import type { AnyFormat } from '../engine/format.ts';
import { type Rendered, type RenderJob, render, type Studied, type StudyJob, study } from '../engine/render.ts';
import { formats } from '../formats/all.ts';

const known = new Map(formats.map((format) => [format.id, format]));

export function studyInWorker(job: StudyJob): Studied {
  return study(formatOf(job.format), job);
}

/** The bytes are moved, not copied, to the serving thread. */
export function renderInWorker(job: RenderJob): Rendered {
  const rendered = render(formatOf(job.format), job);
  if (rendered.kind !== 'rendered') return rendered;
  const bytes = new Uint8Array(rendered.bytes);
  const moved = { [transferableSymbol]: [bytes.buffer], [valueSymbol]: { ...rendered, bytes } };
  return move(moved as unknown as Parameters<typeof move>[0]) as unknown as Rendered;
}

function formatOf(id: string): AnyFormat {
  const format = known.get(id);
  if (!format) throw new Error(`no format "${id}"`);
  return format;
}
