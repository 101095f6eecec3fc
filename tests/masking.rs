//! Personal data in clear only for those who may read it.

use c360::retailer::demo;
use serde_json::json;

use crate::harness::on_both;

/// Everything that a partner with all reading scopes can ask about a customer.
const EVERYTHING: &str = "query($by: CustomerIdentifier!) { customer360(by: $by) { name birthday email phone \
    identities { kind value } addresses { address { recipient lines postalCode city } } \
    orders(first: 100) { nodes { shippingAddress { recipient lines postalCode } returns { lines { note } } } } \
    tickets(first: 100) { nodes { subject messages(first: 100) { nodes { body } } } } \
    loyalty { number cards { number } coupons(first: 100) { nodes { code } } } \
    feedback(first: 100) { nodes { title text ... on SocialMention { authorHandle } ... on SurveyResponse { answers { answer } } } } \
    timeline(first: 100) { nodes { label } } } }";

const SCOPES: &str = "customers:read orders:read tickets:read loyalty:read feedback:read";

on_both! {
    async fn nothing_of_the_person_reaches_a_partner_without_consent(app: App::demo) {
        use sea_orm::ConnectionTrait as _;
        for member in [demo::DEMO_CUSTOMER, demo::VIP, demo::BULGARIAN, demo::POINTS_OWED, demo::ARABIC] {
            let by = json!({ "by": { "customerNumber": member.number } });
            let clear = app.agent().ask_with(EVERYTHING, by.clone()).await;
            let clear = clear.data()["customer360"].clone();
            let mut canaries: Vec<String> = member.name.split(' ').map(str::to_owned).collect();
            canaries.push(member.email.to_owned());
            for identity in clear["identities"].as_array().unwrap() {
                canaries.push(identity["value"].as_str().unwrap().to_owned());
            }
            for address in clear["addresses"].as_array().unwrap() {
                canaries.extend(address["address"]["lines"].as_array().unwrap().iter().map(|line| line.as_str().unwrap().to_owned()));
            }
            canaries.push(clear["birthday"].as_str().unwrap_or("no birthday").to_owned());
            assert!(canaries.iter().filter(|canary| clear.to_string().contains(canary.as_str())).count() > 3);

            let revoke = "UPDATE consents SET status = 'REVOKED'";
            app.state.db.execute_unprepared(revoke).await.unwrap();
            for scopes in [SCOPES.to_owned(), format!("{SCOPES} pii:read")] {
                let masked = app.partner("shop-partner", &scopes).ask_with(EVERYTHING, by.clone()).await;
                let text = masked.data().to_string();
                for canary in &canaries {
                    assert!(!text.contains(canary.as_str()), "{canary} of {} shows: {text}", member.number);
                }
            }
        }
    }
}

on_both! {
    async fn consent_opens_personal_data_to_a_partner_and_revoking_it_closes_it_at_once(app: App::demo) {
        use sea_orm::ConnectionTrait as _;
        let query = "query($by: CustomerIdentifier!) { customer360(by: $by) { name email } }";
        let by = json!({ "by": { "customerNumber": demo::DEMO_CUSTOMER.number } });
        let partner = app.partner("shop-partner", "customers:read pii:read");
        let name = async || partner.ask_with(query, by.clone()).await.data()["customer360"]["name"].clone();
        let set = async |status: &str| {
            app.state.db.execute_unprepared(&format!("UPDATE consents SET status = '{status}'")).await.unwrap();
        };
        app.state.db.execute_unprepared("UPDATE partners SET purposes = 'DELIVERY SERVICE'").await.unwrap();
        let other = "UPDATE partners SET purposes = 'NOBODY_ASKED' WHERE client_id = 'pos-partner'";
        app.state.db.execute_unprepared(other).await.unwrap();
        set("GRANTED").await;
        assert_eq!(name().await, demo::DEMO_CUSTOMER.name);
        set("REVOKED").await;
        assert_ne!(name().await, demo::DEMO_CUSTOMER.name);
        set("DENIED").await;
        assert_ne!(name().await, demo::DEMO_CUSTOMER.name);
        // Consent without the scope is not enough, nor is a purpose that was not agreed to.
        set("GRANTED").await;
        let without = app.partner("shop-partner", "customers:read").ask_with(query, by.clone()).await;
        assert_ne!(without.data()["customer360"]["name"], demo::DEMO_CUSTOMER.name);
        let other = app.partner("pos-partner", "customers:read pii:read").ask_with(query, by.clone()).await;
        assert_ne!(other.data()["customer360"]["name"], demo::DEMO_CUSTOMER.name);
    }
}
