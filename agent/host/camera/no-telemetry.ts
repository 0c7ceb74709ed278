// onnxruntime 1.30 reports to its maker by default on Linux too: a device id and a database under ~/.cache, uploads over
// HTTPS. It decides when its library is loaded, so this module must be imported before it. Both names: the variable was
// renamed between releases. @see https://github.com/microsoft/onnxruntime/pull/27379 and /pull/29843
process.env['ORT_DISABLE_TELEMETRY'] = '1';
process.env['ORT_TELEMETRY_DISABLED'] = '1';
