import {Link} from '@tanstack/react-router';
import {Card} from '../../../ui/blocks.tsx';
import {ImageConfigCard} from '../config/ImageConfigCard.tsx';
import {ModuleCard} from '../config/ModuleCard.tsx';
import {useMachine} from '../use-machine.ts';

/** What it shall run: templates, then its own NixOS module; or a small Debian system. */
export function ConfigTab() {
  const machine = useMachine();
  return (
    <div className="machine-columns config-columns">
      <div>
        <ModuleCard key={machine.id} machine={machine} />
      </div>
      <div>
        <Card title="Templates" flush>
          {machine.templates.length === 0 && (
            <p className="rows-none">
              None of its own. Groups and rules may give it some; with any, or with a module, its
              system is NixOS.
            </p>
          )}
          <ul className="rows">
            {machine.templates.map(({name, version}) => (
              <li key={name}>
                <Link to="/templates" search={{template: name}} className="grow">
                  {name}
                </Link>
                <span className="number">{version > 0 ? `version ${version}` : 'newest'}</span>
              </li>
            ))}
          </ul>
        </Card>
        <ImageConfigCard key={machine.id} machine={machine} />
      </div>
    </div>
  );
}
