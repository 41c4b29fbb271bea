import {EmptyState} from '../../ui/states.tsx';

/** A site without machines: what makes the first one. */
export function FirstSteps() {
  return (
    <EmptyState icon="machine" title="No machine has been here yet">
      <p>
        Point the DHCP server of a network at this site’s edge and let a machine boot from the
        network: it appears here within seconds. Recipes are in <code>deploy/dhcp</code>.
      </p>
      <p>
        Without hardware: <code>npm run lab</code> starts four virtual machines, and{' '}
        <code>muster simulate</code> as many as you like.
      </p>
    </EmptyState>
  );
}
