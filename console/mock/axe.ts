import axe from 'axe-core';

/** Rules that need layout or colours: happy-dom has none. The Playwright tests ask them. */
const needLayout = ['color-contrast', 'target-size', 'scrollable-region-focusable'];

/** What axe finds wrong, one line each; empty is clean. */
export async function axeProblems(root: Element = document.body): Promise<readonly string[]> {
  const {violations} = await axe.run(root, {
    rules: Object.fromEntries(needLayout.map(id => [id, {enabled: false}])),
  });
  return violations.flatMap(({id, help, nodes}) =>
    nodes.map(({html}) => `${id}: ${help}: ${html.slice(0, 200)}`),
  );
}
