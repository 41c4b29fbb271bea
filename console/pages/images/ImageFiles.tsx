import type {Image} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {formatBytes} from '../../ui/format.ts';
import {Icon} from '../../ui/icons.tsx';
import {Identifier} from '../../ui/Identifier.tsx';
import {imageFiles} from './image-files.ts';

/** What a machine fetches, in the order in which it does; each file can be downloaded and compared. */
export function ImageFiles({image}: {readonly image: Image}) {
  return (
    <div className="scrolls-x">
      <table className="plain-table">
        <thead>
          <tr>
            <th scope="col">Part</th>
            <th scope="col">File</th>
            <th scope="col" className="end">
              Size
            </th>
            <th scope="col">SHA-256</th>
          </tr>
        </thead>
        <tbody>
          {imageFiles(image).map(({role, artifact: {name, sha256, sizeBytes}}) => (
            <tr key={`${role} ${sha256}`}>
              <td>{role}</td>
              <td>
                <a href={`/blobs/sha256/${sha256}`} download={name} title={`Download ${name}`}>
                  <span className="mono">{name}</span> <Icon name="download" size={12} />
                </a>
              </td>
              <td className="end">{formatBytes(sizeBytes)}</td>
              <td>
                <Identifier id={sha256} what={`the SHA-256 of ${name}`} characters={24} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
