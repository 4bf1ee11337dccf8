/** Workers run compiled code: a caller that itself runs from `src` (a test) gets the file that the build put into `dist`. */
export function workerUrl(file: string, from: string): URL {
  const url = new URL(file, from);
  if (from.endsWith('.ts')) url.pathname = url.pathname.replace('/server/src/', '/server/dist/');
  return url;
}
