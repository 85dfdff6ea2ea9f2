-- What is no longer seen? Rows of earlier settlements of this window.
DELETE FROM requests_settled WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement < {settlement:UInt64};
DELETE FROM calls_settled WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement < {settlement:UInt64};
DELETE FROM ledger_settled WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement < {settlement:UInt64};
DELETE FROM resource_costs_settled WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement < {settlement:UInt64};
DELETE FROM hosts_settled WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement < {settlement:UInt64};
DELETE FROM lineage_settled WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement < {settlement:UInt64};
DELETE FROM findings_settled WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement < {settlement:UInt64};
DELETE FROM span_costs_settled WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement < {settlement:UInt64};
DELETE FROM accelerator_usage_settled WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement < {settlement:UInt64};
DELETE FROM resource_costs_settled WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement < {settlement:UInt64};
DELETE FROM span_costs_settled WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement < {settlement:UInt64};
DELETE FROM costs_settled WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement < {settlement:UInt64};
DELETE FROM estimates_settled WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement < {settlement:UInt64};
