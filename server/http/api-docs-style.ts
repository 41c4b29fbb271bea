/** Shows what fits the search, and the target of a link. */
export const script = `
const search = document.querySelector('input[type=search]');
const entries = document.querySelectorAll('[data-text]');
const find = () => {
  const words = search.value.toLowerCase().split(' ').filter(Boolean);
  for (const entry of entries)
    entry.hidden = !words.every(word => entry.dataset.text.includes(word));
};
const reveal = () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const details = target && target.closest('details');
  if (!details) return;
  details.hidden = false;
  details.open = true;
  details.scrollIntoView();
};
search.hidden = false;
search.addEventListener('input', find);
document.addEventListener('keydown', event => {
  if (event.key !== '/' || document.activeElement === search) return;
  event.preventDefault();
  search.focus();
});
window.addEventListener('hashchange', reveal);
find();
reveal();
`;

export const style = `
:root {
  color-scheme: light dark;
  font: 1rem/1.5 system-ui, sans-serif;
  --line: light-dark(#ddd, #444);
  --soft: light-dark(#f5f5f5, #222);
  --quiet: light-dark(#666, #aaa);
}
body { margin: 0; display: grid; grid-template-columns: 20rem minmax(0, 1fr); }
nav { position: sticky; top: 0; height: 100vh; overflow: auto; box-sizing: border-box; padding: 1rem; border-right: 1px solid var(--line); font-size: .85rem; }
nav h2 { font-size: .85rem; margin: 1rem 0 .25rem; }
nav ul { list-style: none; margin: 0; padding: 0; }
nav li a { display: block; overflow-wrap: anywhere; padding: .1rem 0; }
input { width: 100%; box-sizing: border-box; padding: .4rem .5rem; font: inherit; position: sticky; top: 0; }
main { padding: 1rem 2rem 40vh; max-width: 64rem; overflow-wrap: anywhere; }
main > section > h2 { margin-top: 3rem; }
a { color: light-dark(#0b57d0, #8ab4f8); text-decoration: none; }
a:hover { text-decoration: underline; }
details { border: 1px solid var(--line); border-radius: .4rem; margin: .5rem 0; }
summary { padding: .5rem .75rem; cursor: pointer; overflow-wrap: anywhere; }
summary span { color: var(--quiet); margin-left: .5rem; }
details > div { padding: 0 .75rem .75rem; border-top: 1px solid var(--line); scroll-margin-top: 4rem; }
h3 { font-size: .95rem; margin: 1rem 0 .25rem; }
code, pre { font: .875em/1.5 ui-monospace, monospace; }
pre { background: var(--soft); padding: .6rem .75rem; border-radius: .3rem; overflow: auto; }
table { border-collapse: collapse; width: 100%; table-layout: fixed; }
th, td { text-align: left; vertical-align: top; border-top: 1px solid var(--line); padding: .35rem .5rem .35rem 0; font-weight: normal; overflow-wrap: anywhere; }
th { width: 30%; }
th b { color: light-dark(#b3261e, #f2b8b5); }
td p, td ul { margin: .15rem 0; }
small, .quiet { color: var(--quiet); }
small.limit, small.mark { background: var(--soft); border-radius: .2rem; padding: 0 .25rem; }
.verb { display: inline-block; min-width: 3.4rem; font: bold .7rem/1.6 ui-monospace, monospace; }
.get { color: light-dark(#1a6f2b, #7ad18a); }
.post { color: light-dark(#0b57d0, #8ab4f8); }
.put, .patch { color: light-dark(#8a5a00, #f0c060); }
.delete { color: light-dark(#b3261e, #f2b8b5); }
[hidden], section:not(:has([data-text]:not([hidden]))) { display: none; }
main:has([data-text]:not([hidden])) .nothing { display: none; }
@media (max-width: 50rem) {
  body { display: block; }
  nav { position: static; height: 40vh; border-right: 0; border-bottom: 1px solid var(--line); }
  main { padding: 1rem; }
}
`;
