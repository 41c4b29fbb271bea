import {Link} from '@tanstack/react-router';
import {shortImageId} from './image-words.ts';

/** An image that another thing names by its id. */
export function ImageLink({id}: {readonly id: string}) {
  if (id === '') return null;
  return (
    <Link to="/images/$id" params={{id}} className="mono" title={id}>
      {shortImageId(id)}
    </Link>
  );
}
