import { MOODS, type Mood } from '../upstream.ts';
import type { Kind } from './fault.ts';

const SAID: Readonly<Record<Mood, string>> = {
  refuses: 'is away',
  errors: 'answers 503',
  hangs: 'hangs',
  cuts: 'breaks off',
  slow: 'is slow',
  wrong: 'sends wrong bytes',
};

export const upstreamFaults: readonly Kind[] = MOODS.map((mood) => ({
  weight: 1,
  group: 'upstream',
  make: ({ upstream }) => ({
    name: `the upstream ${SAID[mood]}`,
    breaks: ['upstream'],
    lasts: [2000, 12_000],
    settles: 20_000,
    begin: async () => {
      await upstream.become(mood);
      return () => upstream.become(undefined);
    },
  }),
}));
