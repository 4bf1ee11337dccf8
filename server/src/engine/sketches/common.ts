import type { ArtifactTarget, Body, IndexTarget, Traits } from '../format.ts';

export const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

export const traits = (title: string, purl: string, evidence: Traits['evidence']): Traits => ({
  title,
  purl,
  mount: purl,
  evidence,
  signedIndexes: false,
  notes: [],
});

export const plain = (_code: unknown, message: string): Body => ({ bytes: `${message}\n`, type: 'text/plain' });

export const index = (path: string, view: string, name?: string): IndexTarget => ({
  kind: 'index',
  path,
  view,
  scope: name === undefined ? 'repository' : 'package',
  ...(name !== undefined && { name }),
});

export const artifact = (path: string, role: ArtifactTarget['role'], name?: string): ArtifactTarget => ({
  kind: 'artifact',
  path,
  role,
  ...(name !== undefined && { name }),
});

export function firstOfEach<Each>(all: readonly Each[], key: (each: Each) => string): readonly Each[] {
  const seen = new Set<string>();
  return all.filter((each) => !seen.has(key(each)) && seen.add(key(each)));
}
