import type {Template_Parameter as Parameter} from '@muster/proto/gen/muster/v1/templates_pb.ts';
import {defaultOf, limitsOf, parameterTypeWords, valueText} from '../../forms/ParameterField.tsx';
import {EmptyState} from '../../ui/states.tsx';

export function ParameterTable({parameters}: {readonly parameters: readonly Parameter[]}) {
  if (parameters.length === 0)
    return (
      <EmptyState icon="settings" title="It has no parameters">
        <p>It is the same on every machine. A new version may declare some.</p>
      </EmptyState>
    );
  return (
    <div className="card flush scrolls">
      <table className="values parameters">
        <thead>
          <tr>
            <th scope="col">Parameter</th>
            <th scope="col">Type</th>
            <th scope="col">Default</th>
            <th scope="col">Allowed</th>
            <th scope="col">For</th>
          </tr>
        </thead>
        <tbody>
          {parameters.map(parameter => (
            <ParameterRow key={parameter.name} parameter={parameter} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function ParameterRow({parameter}: {readonly parameter: Parameter}) {
  const standard = defaultOf(parameter);
  return (
    <tr>
      <th scope="row">
        <code>{parameter.name}</code>
      </th>
      <td>{parameterTypeWords[parameter.type]}</td>
      <td>
        {standard === undefined ? (
          <strong>has to be given</strong>
        ) : (
          <code>{valueText(standard) || '""'}</code>
        )}
      </td>
      <td>{limitsOf(parameter) || <span className="muted">any</span>}</td>
      <td>{parameter.description}</td>
    </tr>
  );
}
