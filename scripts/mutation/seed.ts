import fc from 'fast-check';

// The same draw in every run, so that a mutant's fate is the same too.
fc.configureGlobal({ seed: 1, endOnFailure: true });
