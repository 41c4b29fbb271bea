import {ImageService} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {useQuery} from '@connectrpc/connect-query';
import {useId} from 'react';
import {Combobox} from '../../forms/Combobox.tsx';
import {Mistake} from '../../forms/fields.tsx';
import {useNow} from '../../hooks/use-now.ts';
import {dateOf, formatRelative} from '../../ui/format.ts';
import {Icon} from '../../ui/icons.tsx';
import {imageKindWord, imageVariantWord} from '../images/image-words.ts';

const pageSize = 100;
const shownMax = 12;

type ImageFieldProps = {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly error: string | undefined;
};

/** One of the newest images by any of its words, or a digest or path that is typed in. */
export function ImageField({value, onChange, error}: ImageFieldProps) {
  const id = useId();
  const now = useNow();
  const images = useQuery(ImageService.method.listImages, {pageSize}).data?.images ?? [];
  const typed = value.trim().toLowerCase();
  const options = images
    .map(image => {
      const made = dateOf(image.createTime);
      const note = [
        `${imageKindWord(image.kind)}, ${image.backend}`,
        imageVariantWord(image.variant),
        made ? formatRelative(made, now) : '',
      ];
      return {
        value: image.id,
        label: image.id.slice(0, 12),
        note: note.filter(Boolean).join(' · '),
      };
    })
    .filter(({value, note}) => value !== typed && `${value} ${note}`.toLowerCase().includes(typed))
    .slice(0, shownMax);
  return (
    <div className="field filter-field">
      <label htmlFor={id}>Image</label>
      <Combobox
        id={id}
        label="Image"
        value={value}
        onChange={onChange}
        options={options}
        onPick={({value}) => onChange(value)}
        placeholder="Digest, kind, or /images/NAME of a disk image"
        invalid={error !== undefined}
        before={<Icon name="image" />}
      />
      <div className="hint">
        The newest are suggested. Of a disk image of the image store (<code>/images/NAME</code>)
        only the boot can be tested.
      </div>
      <Mistake text={error} />
    </div>
  );
}
