import axe from 'axe-core';

/** What needs a layout or colours is looked at in a real browser (test/e2e/console). */
const needsLayout = ['color-contrast', 'target-size', 'scrollable-region-focusable'];

/** Sentences about what is wrong for people with other means than eyes and a mouse; empty is good. */
export async function findBarriers(root: Element = document.body): Promise<readonly string[]> {
  const {violations} = await axe.run(root, {
    rules: Object.fromEntries(needsLayout.map(id => [id, {enabled: false}])),
    resultTypes: ['violations'],
  });
  return violations.map(({id, help, nodes}) => `${id}: ${help}: ${nodes[0]?.html ?? ''}`);
}
