-- A contract brings its functions with the rights of those who judge by it. The window of a double fire is for the gate's
-- own roles alone, as the page of rights says.

revoke execute on function audience_gate.fire_window() from service_role, authenticated;
