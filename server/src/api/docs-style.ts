/** Of the page at `/docs`. */
export const DOCS_STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #5b6570; --line: #dfe3e8; --paper: #fff; --shade: #f5f7f9; --accent: #0b5cad;
  --get: #0b6e4f; --post: #7a4b00; --put: #4338a8; --delete: #a61b2b; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ec; --soft: #9aa5b1; --line: #2f363e; --paper: #14181c; --shade: #1c2228; --accent: #7ab7f5;
  --get: #5fd0a5; --post: #e6b45c; --put: #a9a2f5; --delete: #f58a97; } }
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body { margin: 0; font: 16px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--paper); display: grid; grid-template-columns: 17rem minmax(0, 1fr); }
nav { position: sticky; top: 0; height: 100vh; overflow-y: auto; padding: 1.5rem 1rem; border-right: 1px solid var(--line); background: var(--shade); font-size: .875rem; }
nav ul { list-style: none; margin: .25rem 0 1rem; padding: 0; }
nav li a { display: block; padding: .15rem .5rem; border-radius: .3rem; color: var(--soft); }
nav li a:hover, nav li a:focus-visible { background: var(--paper); color: var(--ink); }
main { padding: 2rem clamp(1rem, 4vw, 4rem) 6rem; max-width: 64rem; }
h1 { margin: 0 0 .25rem; font-size: 1.9rem; letter-spacing: -.01em; }
h2 { margin: 3.5rem 0 .25rem; padding-top: 1rem; border-top: 1px solid var(--line); font-size: 1.35rem; text-transform: capitalize; }
h3 { margin: 0; font-size: 1.05rem; }
h4 { margin: 1.1rem 0 .3rem; font-size: .8rem; letter-spacing: .05em; text-transform: uppercase; color: var(--soft); }
a { color: var(--accent); text-decoration: none; }
a:hover { text-decoration: underline; }
code, .path { font: .875em/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
p { margin: .4rem 0; }
.soft { color: var(--soft); }
.card { margin: 1.25rem 0; padding: 1.1rem 1.25rem; border: 1px solid var(--line); border-radius: .6rem; }
.card:target { border-color: var(--accent); }
.route { display: flex; gap: .7rem; align-items: baseline; margin-top: .4rem; }
.method { font: 700 .75rem/1 ui-monospace, monospace; text-transform: uppercase; padding: .3rem .45rem; border: 1px solid currentColor; border-radius: .3rem; }
.get { color: var(--get); } .post { color: var(--post); } .put { color: var(--put); } .delete { color: var(--delete); }
.table { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-size: .9rem; }
th, td { padding: .4rem .7rem .4rem 0; text-align: left; vertical-align: top; border-top: 1px solid var(--line); }
th { font-weight: 600; color: var(--soft); border-top: 0; }
td:first-child { white-space: nowrap; }
tr table td { font-size: .85rem; }
.tag { display: inline-block; margin-left: .4rem; padding: 0 .35rem; border-radius: .3rem; background: var(--shade); border: 1px solid var(--line); font-size: .72rem; color: var(--soft); }
pre { margin: .6rem 0; padding: .8rem 1rem; overflow-x: auto; background: var(--shade); border: 1px solid var(--line); border-radius: .5rem; font: .85rem/1.5 ui-monospace, monospace; }
@media (max-width: 50rem) { body { display: block; } nav { position: static; height: auto; border: 0; border-bottom: 1px solid var(--line); } td:first-child { white-space: normal; } }
@media print { nav { display: none; } body { display: block; } }
`;
