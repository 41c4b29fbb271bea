import {ButtonLink} from '../ui/Button.tsx';
import {MissingPage} from '../ui/page-states.tsx';
import {EmptyState} from '../ui/states.tsx';

const title = 'There is no such page';

export const NotFoundPage = () => (
  <MissingPage title={title}>
    <WayBack />
  </MissingPage>
);

/** Within a page that is there. */
export const NotFoundPart = () => (
  <EmptyState icon="question" title={title}>
    <WayBack />
  </EmptyState>
);

const WayBack = () => (
  <>
    <p>The address may be from another version, or it was cut off on its way.</p>
    <ButtonLink to="/">To the overview</ButtonLink>
  </>
);
