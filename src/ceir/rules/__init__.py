from ceir.rules.declaration import Example, Parameter, Rule, all_rules, rule_named

__all__ = ["Example", "Parameter", "Rule", "all_rules", "rule_named"]
