-- Which reconciliation is in force?
SELECT run, cost, basis FROM current_bill_runs WHERE tenant = {tenant:String}
