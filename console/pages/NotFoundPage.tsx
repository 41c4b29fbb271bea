import {ButtonLink} from '../ui/Button.tsx';
import {EmptyState} from '../ui/states.tsx';

export function NotFoundPage() {
  return (
    <EmptyState icon="question" title="There is no such page">
      <p>The address may be from another version, or it was cut off on its way.</p>
      <ButtonLink to="/">To the overview</ButtonLink>
    </EmptyState>
  );
}
